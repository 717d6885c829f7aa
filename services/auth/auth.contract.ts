import { Type } from "@sinclair/typebox";
import { contract } from "../../lib/contract";
import { Nothing, TokenPair } from "../schemas";

const Name = Type.String({ minLength: 1, maxLength: 100, pattern: "\\S" });
/** Only bounded here: whether an address is deliverable is known by sending to it. */
const Email = Type.String({ minLength: 3, maxLength: 254, pattern: "^[^\\s@]+@[^\\s@]+$" });
/** argon2id has no length limit of its own; this one bounds the work of a stranger. */
const Password = Type.String({ minLength: 8, maxLength: 256 });
const RefreshToken = Type.String({ minLength: 1, maxLength: 512 });

export const guest = contract({
  name: "auth.guest",
  summary: "Make a guest: a customer without credentials, known by a resumable token",
  params: Type.Object({ name: Type.Optional(Name) }),
  result: TokenPair,
  access: "public",
  errors: [],
  rest: { method: "POST", path: "/auth/guest", status: 201 },
});

export const signup = contract({
  name: "auth.signup",
  summary: "Make a user with e-mail and password, with the role customer",
  params: Type.Object({ email: Email, password: Password, name: Name }),
  result: TokenPair,
  access: "public",
  errors: ["EMAIL_TAKEN"],
  rest: { method: "POST", path: "/auth/signup", status: 201 },
});

export const login = contract({
  name: "auth.login",
  summary: "Exchange e-mail and password for tokens",
  params: Type.Object({
    email: Type.String({ minLength: 1, maxLength: 254 }),
    password: Type.String({ minLength: 1, maxLength: 256 }),
  }),
  result: TokenPair,
  access: "public",
  errors: ["BAD_CREDENTIALS"],
  rest: { method: "POST", path: "/auth/login" },
});

export const refresh = contract({
  name: "auth.refresh",
  summary: "Spend a refresh token for a new pair; spending it twice revokes the whole login",
  params: Type.Object({ refreshToken: RefreshToken }),
  result: TokenPair,
  access: "public",
  errors: ["UNAUTHORIZED"],
  rest: { method: "POST", path: "/auth/refresh" },
});

export const logout = contract({
  name: "auth.logout",
  summary: "End the login that this refresh token belongs to, and its live sockets",
  params: Type.Object({ refreshToken: RefreshToken }),
  result: Nothing,
  access: "public",
  errors: [],
  rest: { method: "POST", path: "/auth/logout", status: 204 },
  repeatable: true,
});
