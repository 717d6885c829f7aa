import { Type } from "@sinclair/typebox";
import { type Context, ServiceBroker } from "moleculer";
import { contract, type Params } from "../../../lib/contract";
import { Action, DomainService, InternalAction, OnEvent, Service } from "../../../lib/decorators";

const drop = contract({
  name: "bin.delete",
  summary: "Delete",
  params: Type.Object({ id: Type.String() }),
  result: Type.Object({ left: Type.Integer() }),
  access: "public",
  errors: [],
  actor: { kind: "bin", id: "id" },
});

@Service({ name: "bin" })
class BinService extends DomainService {
  declare things: Set<string>;

  created(): void {
    this.things = new Set(["a", "b"]);
  }

  @Action(drop)
  async drop(ctx: Context<Params<typeof drop>>) {
    this.forget(ctx.params.id);
    return { left: this.things.size };
  }

  @InternalAction("count")
  async count() {
    return this.things.size;
  }

  @OnEvent("thing.made")
  made(ctx: Context<{ id: string }>): void {
    this.things.add(ctx.params.id);
  }

  private forget(id: string): void {
    this.things.delete(id);
  }
}

describe("decorated services", () => {
  const start = async (): Promise<ServiceBroker> => {
    const broker = new ServiceBroker({ logger: false });
    broker.createService(BinService as never);
    await broker.start();
    return broker;
  };

  it("serve a contract under its own name, whatever the method is called", async () => {
    const broker = await start();
    expect(await broker.call("bin.delete", { id: "a" })).toEqual({ left: 1 });
    await expect(broker.call("bin.drop", { id: "a" })).rejects.toMatchObject({ type: "SERVICE_NOT_FOUND" });
    await broker.stop();
  });

  it("carry the contract itself, and tell other nodes only what routing needs", async () => {
    const broker = await start();
    const { action } = broker.registry.getActionEndpoints("bin.delete").getFirst() as unknown as {
      action: { contract(): unknown; actor: unknown };
    };
    expect(action.contract()).toBe(drop);
    const told = JSON.stringify(broker.registry.getServiceList({ withActions: true, onlyLocal: true }));
    expect(told).toContain('"actor":{"kind":"bin","id":"id"}');
    expect(told).not.toContain("Delete");
    await broker.stop();
  });

  it("hear events", async () => {
    const broker = await start();
    await broker.broadcast("thing.made", { id: "c" });
    expect(await broker.call("bin.count")).toBe(3);
    await broker.stop();
  });

  it("share no state between the brokers of a process", async () => {
    const [one, other] = await Promise.all([start(), start()]);
    await one.call("bin.delete", { id: "a" });
    expect(await one.call("bin.count")).toBe(1);
    expect(await other.call("bin.count")).toBe(2);
    await Promise.all([one.stop(), other.stop()]);
  });
});
