import type { Context } from "moleculer";
import { DEFAULT_RULES } from "../../../actors/conversation/conversation.session-state";
import type { ConversationStore } from "../../../actors/conversation/conversation.store";
import { type ErrorType, ParleyError } from "../../../lib/errors";
import type { Params } from "../../../lib/contract";
import type { Meta } from "../../../services/auth/principal";
import { type OpenParts, openSession } from "../../../services/session/open-session";
import type { open } from "../../../services/session/session.contract";

type Ctx = Context<Params<typeof open>, Meta>;

const SESSION = {
  topic: "other",
  urgency: "normal",
  status: "unassigned",
  customerId: "ann",
  openedAt: 1,
  enteredAt: 1,
};
const nothingMade: OpenParts = {
  store: { commandAnywhere: () => Promise.resolve([]) } as unknown as ConversationStore,
  desk: () => Promise.resolve({ headStart: { class: 0 }, rules: DEFAULT_RULES }),
};

/** A request to open with a text; `text` is what becomes of the text's command, `opened` of the session's. */
function opening(text: ErrorType, opened?: ErrorType): Ctx {
  const answer = (action: string): Promise<unknown> => {
    if (action === "send") return Promise.reject(new ParleyError(text));
    if (opened) return Promise.reject(new ParleyError(opened, { sessionId: "earlier" }));
    return Promise.resolve({ event: { conversationId: "c", seq: 1, session: SESSION } });
  };
  const call = (name: string, params: { command?: { action: string } }) =>
    name === "room.session" ? Promise.resolve({ session: SESSION, lastAll: 4 }) : answer(params.command?.action ?? "");
  const user = { id: "ann", roles: ["customer"], guest: false, family: "test" };
  return { params: { commandId: "k", text: "hello" }, meta: { user }, call } as unknown as Ctx;
}

describe("a session opened with a text", () => {
  it.each(["UNAVAILABLE", "TOO_BUSY"] as const)(
    "is stored when the text is answered %s: nobody says it is not",
    async (type) => {
      await expect(openSession(opening(type), nothingMade)).rejects.toMatchObject({ type: "UNKNOWN_OUTCOME" });
    },
  );

  it("that was open before is told what the text's command was answered: nothing else was to be written", async () => {
    const outcome = openSession(opening("TOO_BUSY", "SESSION_EXISTS"), nothingMade);
    await expect(outcome).rejects.toMatchObject({ type: "TOO_BUSY" });
  });

  it("fails as its text does for any other reason", async () => {
    await expect(openSession(opening("SESSION_CLOSED"), nothingMade)).rejects.toMatchObject({ type: "SESSION_CLOSED" });
  });
});
