import type { Context } from "moleculer";
import { Action, DomainService, InternalAction, OnEvent, Service } from "../../lib/decorators";
import { ParleyError } from "../../lib/errors";
import { hasRole, type Meta } from "../auth/principal";
import { broadcast } from "../call";
import type { Actions } from "../contracts";
import { callerOf } from "../conversation-command";
import { KeywordStore } from "./keywords.store";
import { isOpen } from "./opening-hours";
import { compareTopics, detailOf, listedOf, rulesOf, type TopicDescription } from "./topic";
import * as contracts from "./topics.contract";
import { topicsOf } from "./topics.directory";
import type { TopicsInternal } from "./topics.internal";
import { checkKeyword, checkTopic } from "./topics.rules";
import { TopicStore } from "./topics.store";

type Name = keyof Actions & `topics.${string}`;
type Ctx<N extends Name> = Context<Actions[N]["params"], Meta>;
type Answer<N extends Name> = Promise<Actions[N]["result"]>;

/** Topics and keyword rules, as administrators keep them. */
@Service({ name: "topics" })
export default class TopicsService extends DomainService {
  declare topics: TopicStore;
  declare keywordRules: KeywordStore;

  created(): void {
    this.topics = new TopicStore(this.resources.store);
    this.keywordRules = new KeywordStore(this.resources.store);
  }

  async started(): Promise<void> {
    await this.topics.seed(this.resources.clock.now());
  }

  /** Administrators, who may have changed something just before, read the store. */
  @Action(contracts.list)
  async list(ctx: Ctx<"topics.list">): Answer<"topics.list"> {
    const { details = false } = ctx.params;
    if (details && !hasRole(callerOf(ctx), ["admin"])) throw new ParleyError("FORBIDDEN");
    const topics = await (details ? this.topics : topicsOf(this.broker)).all();
    const shown = topics.filter(({ archived }) => details || !archived).sort(compareTopics);
    const now = this.resources.clock.now();
    return { topics: shown.map((topic) => ({ ...listedOf(topic, now), ...(details && { detail: detailOf(topic) }) })) };
  }

  @Action(contracts.get)
  async get(ctx: Ctx<"topics.get">): Answer<"topics.get"> {
    const topic = await this.topics.get(ctx.params.id);
    if (!topic) throw new ParleyError("NOT_FOUND");
    return detailOf(topic);
  }

  @Action(contracts.put)
  async put(ctx: Ctx<"topics.put">): Answer<"topics.put"> {
    const { version, rules, skills = [], texts = {}, ...described } = ctx.params;
    const topic: TopicDescription = { ...described, skills, texts, rules: rulesOf(rules), archived: false };
    checkTopic(topic);
    const written = await this.topics.write({ topic, ...this.change(ctx, version) });
    await this.changed(ctx);
    return detailOf(written);
  }

  @Action(contracts.archive)
  async archive(ctx: Ctx<"topics.archive">): Answer<"topics.archive"> {
    const { id, version } = ctx.params;
    const written = await this.topics.archive(id, this.change(ctx, version));
    await this.changed(ctx);
    return detailOf(written);
  }

  @Action(contracts.keywords)
  async keywords(): Answer<"topics.keywords"> {
    const rules = await this.keywordRules.all();
    return { keywords: rules.map((rule) => ({ ...rule, words: [...rule.words] })) };
  }

  @Action(contracts.putKeyword)
  async putKeyword(ctx: Ctx<"topics.putKeyword">): Answer<"topics.putKeyword"> {
    checkKeyword(ctx.params);
    await this.keywordRules.put(ctx.params);
    await this.changed(ctx);
    return ctx.params;
  }

  @Action(contracts.deleteKeyword)
  async deleteKeyword(ctx: Ctx<"topics.deleteKeyword">): Answer<"topics.deleteKeyword"> {
    await this.keywordRules.delete(ctx.params.id);
    await this.changed(ctx);
    return null;
  }

  @InternalAction("inspect", { repeats: "read" })
  async inspect(): Promise<TopicsInternal["topics.inspect"]["result"]> {
    const [topics, rules] = await Promise.all([this.topics.all(), this.keywordRules.all()]);
    const now = this.resources.clock.now();
    const shown = topics.sort(compareTopics).map((topic) => ({ ...topic, open: isOpen(topic.hours, now) }));
    return { topics: shown, keywords: rules.length };
  }

  @OnEvent("topics.changed")
  forget(): void {
    topicsOf(this.broker).drop();
  }

  private change(ctx: Context<unknown, Meta>, replaces: number) {
    return { replaces, by: callerOf(ctx).id, at: this.resources.clock.now() };
  }

  /** What this node does next is done by what was written, whether or not it hears its own event. */
  private async changed(ctx: Context<unknown, Meta>): Promise<void> {
    topicsOf(this.broker).drop();
    await broadcast(ctx, "topics.changed", {});
  }
}
