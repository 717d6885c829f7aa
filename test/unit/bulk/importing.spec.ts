import type { ConversationRecord, ImportItem, MessageRecord } from "../../../services/bulk/bulk.contract";
import { SmallServer } from "./small-server";

const at = (second: number): string => new Date(second * 1_000).toISOString();
const FUTURE = at(1_000_000);
const conversation: ConversationRecord = {
  ...{ source: "parley", id: "s", openedAt: at(10), closedAt: at(90), customer: { id: "carl" } },
  agents: [{ id: "ada" }, { id: "sue" }],
};
const message = (id: string, by: string, second: number, more: object = { text: "Hi" }): MessageRecord =>
  ({ id, by, at: at(second), ...more }) as MessageRecord;
const item = (messages: readonly MessageRecord[], more: object = {}): ImportItem => ({
  conversation: { ...conversation, ...more },
  messages: [...messages],
  last: true,
});

const GIVEN = [message("1", "carl", 11), message("2", "ada", 12, { text: "Careful", note: true })];
const reaction = (by: string, second: number, emoji = "+1") => ({ emoji, by, at: at(second) });
const text = "Late";

describe("a message of an import", () => {
  it.each<[string, MessageRecord]>([
    ["replyTo", message("3", "carl", 13, { text, replyTo: "9" })],
    ["replyTo", message("3", "carl", 13, { text, replyTo: "3" })],
    ["replyTo", message("3", "carl", 13, { text, replyTo: "2" })],
    ["whisper", message("3", "carl", 13, { text, whisper: true })],
    ["editedAt", message("3", "carl", 700, { text, editedAt: at(13) })],
    ["editedAt", message("3", "carl", 13, { text, editedAt: FUTURE })],
    ["editedAt", message("3", "carl", 13, { attachments: [{ url: "https://a.example" }], editedAt: at(14) })],
    ["deletedAt", message("3", "carl", 13, { text, deletedAt: at(14) })],
    ["deletedAt", message("3", "carl", 13, { deletedAt: at(14), reactions: [reaction("ada", 14)] })],
    ["deletedAt", message("3", "carl", 700, { deletedAt: at(13) })],
    ["reactions.0.by", message("3", "carl", 13, { text, reactions: [reaction("ben", 14)] })],
    [
      "reactions.1.at",
      message("3", "carl", 13, { text, reactions: [reaction("ada", 14), { ...reaction("sue", 1), at: FUTURE }] }),
    ],
    ["reactions.1.emoji", message("3", "carl", 13, { text, reactions: [reaction("ada", 14), reaction("ada", 15)] })],
    ["reactions.0.by", message("3", "ada", 13, { text, note: true, reactions: [reaction("carl", 14)] })],
    ["reactions.0.by", message("3", "ada", 13, { text, replyTo: "2", reactions: [reaction("carl", 14)] })],
  ])("with a bad %s is refused by that name, and nothing of it is stored", async (field, bad) => {
    const server = new SmallServer(500_000);
    const refused = await server.import(item([...GIVEN, bad]));
    expect(refused).toEqual([{ message: 2, field, problem: expect.any(String) as string }]);
    expect((await server.export()).flatMap((line) => (line.type === "message" ? [line.id] : []))).toEqual(["1", "2"]);
    expect(server.world.log("s")).toHaveLength(3);
  });

  it("that answers a note is a note, whatever the file says", async () => {
    const server = new SmallServer();
    expect(await server.import(item([...GIVEN, message("3", "sue", 13, { text, replyTo: "2" })]))).toEqual([]);
    expect(server.world.log("s").map(({ audience }) => audience)).toEqual(["all", "all", "staff", "staff"]);
  });

  it("that was imported with another edit or another reaction is told of, and stays as it was", async () => {
    const server = new SmallServer();
    const edited = { text, editedAt: at(14), reactions: [reaction("ada", 14)] };
    expect(await server.import(item([message("1", "carl", 11, edited)]))).toEqual([]);
    const before = await server.export();
    const again = async (more: object) =>
      (await server.import(item([message("1", "carl", 11, { ...edited, ...more })])))[0]?.field;
    expect(await again({ editedAt: at(15) })).toBe("editedAt");
    expect(await again({ reactions: [reaction("ada", 15)] })).toBe("reactions.0");
    expect(await server.export()).toEqual(before);
  });
});

describe("the rating of an import", () => {
  it.each([
    ["in the future", FUTURE],
    ["before it was opened", at(13)],
  ])("given %s is refused with its conversation, of which nothing is stored", async (_when, when) => {
    const server = new SmallServer();
    const refused = await server.import(
      item(GIVEN, { openedAt: at(700), closedAt: at(750), rating: { score: 5, at: when } }),
    );
    expect(refused).toEqual([{ field: "rating.at", problem: expect.any(String) as string }]);
    expect(server.world.log("s")).toEqual([]);
  });

  it("is the customer's, from when it was given, and no other takes its place", async () => {
    const server = new SmallServer();
    const rating = { score: 4, comment: "Quick", at: at(95) };
    expect(await server.import(item(GIVEN, { rating }))).toEqual([]);
    expect(await server.import(item(GIVEN, { rating }))).toEqual([]);
    const refused = await server.import(item(GIVEN, { rating: { score: 1, at: at(96) } }));
    expect(refused.map(({ field }) => field)).toEqual(["rating"]);
    expect(server.world.state("s").session?.rating).toEqual({ score: 4, comment: "Quick", at: 95_000 });
    expect(server.world.log("s").at(-1)).toMatchObject({ type: "session.rated", by: "carl", at: 95_000 });
  });
});
