import { call } from "../../../services/call";
import { callAuth } from "../../../services/auth/auth.internal";
import { type AuthNode, startAuthNode } from "../../support/auth-node";

const ANN = { email: "ann@example.org", password: "correct horse" };
const BEN = { email: "ben@example.org", password: "battery staple" };

describe("ending all logins of a user", () => {
  let node: AuthNode;
  beforeAll(async () => {
    node = await startAuthNode();
    for (const who of [ANN, BEN]) await call(node.broker, "auth.signup", { ...who, name: who.email });
  });
  afterAll(() => node.stop());

  const logIn = (who: typeof ANN) => call(node.broker, "auth.login", who);
  const refused = (attempt: Promise<unknown>): Promise<string> =>
    attempt.then(
      () => "let in",
      (error: { type: string }) => error.type,
    );

  it("ends those there are, and lets the user log in again", async () => {
    const logins = [await logIn(ANN), await logIn(ANN)];
    const other = await logIn(BEN);
    const userId = logins[0]?.user.id ?? "";
    // The one of the sign-up is among them.
    expect(await callAuth(node.broker, "auth.kick", { userId })).toEqual({ logins: 3 });
    for (const { accessToken, refreshToken } of logins) {
      expect(await refused(node.authenticator.authenticate(accessToken))).toBe("UNAUTHORIZED");
      expect(await refused(call(node.broker, "auth.refresh", { refreshToken }))).toBe("UNAUTHORIZED");
    }
    expect(await refused(node.authenticator.authenticate(other.accessToken))).toBe("let in");
    const again = await logIn(ANN);
    expect(await refused(node.authenticator.authenticate(again.accessToken))).toBe("let in");
  });

  it("answers that there was none the second time, and for a stranger", async () => {
    const { user } = await logIn(BEN);
    await callAuth(node.broker, "auth.kick", { userId: user.id });
    expect(await callAuth(node.broker, "auth.kick", { userId: user.id })).toEqual({ logins: 0 });
    expect(await callAuth(node.broker, "auth.kick", { userId: "nobody" })).toEqual({ logins: 0 });
  });
});
