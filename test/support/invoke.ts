import { io, type Socket } from "socket.io-client";
import type { Contract } from "../../lib/contract";
import type { WireError } from "../../lib/errors";
import { type Answer, rest } from "./rest";

/** How an action answered, whatever carried it. */
export type Outcome = { readonly ok: true; readonly data: unknown } | { readonly ok: false; readonly error: WireError };

const ANSWER_MS = 15_000;

/** Calls a contract over REST: path parameters, query or body as its binding says. */
export async function overRest(url: string, contract: Contract, params: unknown, token?: string): Promise<Outcome> {
  const answer = await restAnswer(url, contract, params, token);
  return answer.status < 400 ? { ok: true, data: answer.body } : { ok: false, error: answer.error };
}

/** The whole HTTP answer of the same call. */
export function restAnswer(url: string, contract: Contract, params: unknown, token?: string): Promise<Answer> {
  const { rest: binding } = contract;
  if (!binding) throw new TypeError(`${contract.name} has no route`);
  const fields: Record<string, unknown> = isObject(params) ? { ...params } : {};
  const path = binding.path.replace(/:(\w+)/g, (_match, name: string) => {
    const value = fields[name];
    delete fields[name];
    return encodeURIComponent(wellFormed(asText(value)));
  });
  if (binding.method !== "GET") return rest(url, binding.method, path, token, isObject(params) ? fields : params);
  const query = new URLSearchParams(
    Object.entries(fields).map(([name, value]): [string, string] => [name, asText(value)]),
  );
  return rest(url, "GET", query.size > 0 ? `${path}?${query.toString()}` : path, token);
}

/** Calls a contract over a connected socket. */
export async function overSocket(socket: Socket, contract: Contract, params: unknown): Promise<Outcome> {
  if (contract.socket === undefined) throw new TypeError(`${contract.name} has no socket event`);
  return emit(socket, contract.socket, params);
}

/** One event and its answer. @throws Error when there is none in time */
export async function emit(socket: Socket, event: string, ...data: unknown[]): Promise<Outcome> {
  return (await socket.timeout(ANSWER_MS).emitWithAck(event, ...data)) as Outcome;
}

/** A plain socket that is connected. @throws Error with the server's word when it refuses */
export function openSocket(url: string, token: string): Promise<Socket> {
  const socket = io(url, { auth: { token }, transports: ["websocket"], forceNew: true, reconnection: false });
  return new Promise((resolve, reject) => {
    socket.once("connect", () => resolve(socket));
    socket.once("connect_error", (error) => {
      socket.disconnect();
      reject(error);
    });
  });
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Lone surrogates cannot be in a URL. */
const wellFormed = (text: string): string => Buffer.from(text).toString();

const asText = (value: unknown): string => (typeof value === "string" ? value : (JSON.stringify(value) ?? "undefined"));
