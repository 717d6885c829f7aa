/**
 * Bugs that a simulation worth its name must find. Each changes one private step of the product from outside, for as
 * long as it is planted; what it names here is the step's contract with the rest of its class.
 */
export interface Bug {
  readonly name: string;
  /** Histories within which it has to be found. */
  readonly within: number;
  /** Plants it; the function returned removes it. */
  plant(): () => void;
}

export type Step = (...args: never[]) => unknown;

/** Replaces a method, private or not. */
export function replace<This extends object>(target: This, name: string, make: (original: Step) => Step): () => void {
  const methods = target as Record<string, Step>;
  const original = methods[name];
  if (!original) throw new Error(`nothing to break: there is no ${name}`);
  methods[name] = make(original);
  return () => (methods[name] = original);
}

/** Replaces a getter. */
export function replaceGetter<This extends object>(
  target: This,
  name: string,
  get: (this: never) => unknown,
): () => void {
  const original = Object.getOwnPropertyDescriptor(target, name);
  if (!original?.get) throw new Error(`nothing to break: there is no ${name}`);
  Object.defineProperty(target, name, { configurable: true, get });
  return () => void Object.defineProperty(target, name, original);
}
