import type { Context } from "moleculer";
import type { Params, Result } from "../../lib/contract";
import { Action, DomainService, InternalAction, Service } from "../../lib/decorators";
import type { Meta } from "../auth/principal";
import { list } from "./audit.contract";
import type { AuditInternal, AuditPage, AuditView } from "./audit.internal";
import { type AuditDocument, type AuditFilter, AuditStore } from "./audit.store";

type InternalCtx<N extends keyof AuditInternal> = Context<AuditInternal[N]["params"], Meta>;
type InternalAnswer<N extends keyof AuditInternal> = Promise<AuditInternal[N]["result"]>;

/** An entry's id is its writer's: recording twice is recording once. */
const REPEATABLE = { repeats: "read" } as const;

/** What was done that nobody else sees, for administrators to look at. */
@Service({ name: "audit" })
export default class AuditService extends DomainService {
  declare entries: AuditStore;

  created(): void {
    this.entries = new AuditStore(this.resources.store);
  }

  @Action(list)
  list(ctx: Context<Params<typeof list>, Meta>): Promise<Result<typeof list>> {
    const { limit = 50, cursor, ...filter } = ctx.params;
    return this.page(filter, limit, cursor);
  }

  @InternalAction("record", REPEATABLE)
  async record(ctx: InternalCtx<"audit.record">): InternalAnswer<"audit.record"> {
    const { id, by, action, target } = ctx.params;
    await this.entries.add({ _id: id, at: this.resources.clock.now(), by, action, target });
    return null;
  }

  @InternalAction("inspect", REPEATABLE)
  inspect(ctx: InternalCtx<"audit.inspect">): InternalAnswer<"audit.inspect"> {
    const { limit, ...filter } = ctx.params;
    return this.page(filter, limit);
  }

  private async page(filter: AuditFilter, limit: number, cursor?: string): Promise<AuditPage> {
    const { entries, ...next } = await this.entries.page(filter, limit, cursor);
    return { entries: entries.map(viewOf), ...next };
  }
}

const viewOf = ({ _id, at, by, action, target }: AuditDocument): AuditView => ({
  id: _id,
  at: new Date(at).toISOString(),
  by,
  action,
  target,
});
