import type { Rescue } from './call.js';

/**
 * An error on its way through a promise. A reaction that gives one rejects its promise as a throw would, for a third of
 * the price: V8 builds a message for every throw, and tells the process of a promise that is rejected before anybody
 * listens to it.
 */
class Rejection implements PromiseLike<never> {
  readonly #brand = true;

  constructor(readonly error: unknown) {}

  /** It looks at nothing that could be a trap. */
  static is(value: object): value is Rejection {
    return #brand in value;
  }

  then<A = never, B = never>(_: unknown, reject?: ((error: unknown) => B | PromiseLike<B>) | null): PromiseLike<A | B> {
    reject?.(this.error);
    return this;
  }
}

/** What a reaction gives to reject its promise with `error`. */
export function rejection(error: unknown): PromiseLike<never> {
  return new Rejection(error);
}

/** What `rescue` makes of an answer that may be a rejection, now or later. */
export function rescued(answer: PromiseLike<unknown>, rescue: Rescue): unknown {
  return Rejection.is(answer) ? rescue(answer.error) : answer.then(undefined, rescue);
}

/** A promise that rejects with `error` a turn later, when its caller listens. */
export function rejected(error: unknown): Promise<never> {
  return Promise.resolve(new Rejection(error));
}
