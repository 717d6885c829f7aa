import { type Context, Service as MoleculerService, type ServiceSchema } from "moleculer";
import {
  Action as MoleculerAction,
  Event as MoleculerEvent,
  Service as MoleculerServiceDecorator,
} from "moleculer-decorators";
import { type Contract, type Params, repeatsOf, type Result } from "./contract";
import { type Resources, resourcesOf } from "./resources";

/**
 * A typed facade over moleculer-decorators for domain services:
 *
 *     @Service({ name: "users" })
 *     export default class UsersService extends DomainService {
 *       declare store: UsersStore;
 *       created() { this.store = new UsersStore(this.resources.store); }
 *       @Action(contracts.me)
 *       async me(ctx: Context<Params<typeof contracts.me>, Meta>) { ... }
 *     }
 *
 * Own fields are declared (`declare x: T`) and set in `created()`: the decorator instantiates the class once with a
 * mock broker, so what a field initialiser makes would be one object shared by all brokers of the process.
 */
export abstract class DomainService extends MoleculerService {
  /** What the node owns: configuration, store, keys, clock, randomness. */
  protected get resources(): Resources {
    return resourcesOf(this.broker);
  }
}

type ServiceClass = abstract new (...args: never[]) => DomainService;

/** Registers a class as the service of this name. Mixins have life cycles, base classes have not. */
export function Service(options: {
  readonly name: string;
  readonly dependencies?: readonly string[];
  readonly mixins?: ReadonlyArray<Partial<ServiceSchema>>;
}) {
  const decorate = MoleculerServiceDecorator({ ...options } as { name: string }) as (target: ServiceClass) => void;
  return (target: ServiceClass): void => decorate(target);
}

/** A method's descriptor as far as the decorators read it, so that a handler may return more than the contract says. */
interface Method<H> {
  readonly value?: H;
}
type Decorator<P, R> = <M extends object>(
  target: object,
  key: string,
  descriptor: Method<(ctx: Context<P, M>) => Promise<R>>,
) => void;

/**
 * Serves a contract. The action has the contract's name; its params reach the handler validated, stripped of unknown
 * fields and with defaults; the caller's right to it has been checked.
 */
export function Action<C extends Contract>(contract: C): Decorator<Params<C>, Result<C>> {
  return MoleculerAction({ ...actionOf(contract) });
}

/** The part of an action schema that comes from its contract; for services that are plain schemas. */
export function actionOf(contract: Contract): ContractAction {
  return {
    name: contract.name.slice(contract.name.indexOf(".") + 1),
    // A function, because Moleculer clones action schemas deeply (the contract keeps its identity) and tells other
    // nodes about them (a function is left out).
    contract: () => contract,
    repeats: repeatsOf(contract),
    ...(contract.actor ? { actor: contract.actor } : {}),
  };
}

/** What an action schema says beyond Moleculer's own fields. */
export interface ContractAction {
  readonly name: string;
  readonly contract?: () => Contract;
  /** Told to other nodes: see `repeatsOf`. */
  readonly repeats?: ReturnType<typeof repeatsOf>;
  readonly actor?: NonNullable<Contract["actor"]>;
}

/** Options of an action that only other services call: it has no contract, and no gateway offers it. */
export interface InternalOptions {
  /** Routed to the home of the actor named by `params[id]`. */
  readonly actor?: NonNullable<Contract["actor"]>;
  /** Milliseconds; 0 waits for ever. */
  readonly timeout?: number;
  /** What may be called again when its answer was lost: `never` unless said, an actor's action is a `command`. */
  readonly repeats?: ReturnType<typeof repeatsOf>;
}

/** An action for other services only, by its name without the service. */
export function InternalAction(name: string, options: InternalOptions = {}) {
  return <P, M extends object>(
    target: object,
    key: string,
    descriptor: Method<(ctx: Context<P, M>) => Promise<unknown>>,
  ): void => MoleculerAction({ name, ...options })(target, key, descriptor);
}

/** Listens to a broker event. Of each `group` one member gets an emitted event, every member a broadcast one. */
export function OnEvent(name: string, options: { readonly group?: string } = {}) {
  return <P, M extends object>(
    target: object,
    key: string,
    descriptor: Method<(ctx: Context<P, M>) => void | Promise<void>>,
  ): void => MoleculerEvent({ name, ...options })(target, key, descriptor);
}
