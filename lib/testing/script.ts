import type { Meets } from './fault.js';
import type { MethodOfClass } from './method-of-class.js';
import type { Outcome } from './outcome.js';

/**
 * What the attempts of a method come to, one after the other.
 *
 * @publicApi
 */
export class Script {
  /** @internal */ readonly of: MethodOfClass;
  readonly #outcomes: Outcome[];
  readonly #calls: (readonly unknown[])[] = [];

  /** @internal Whether it is meant for what a plan guards. */
  readonly isFor: Meets;

  /** @internal */
  constructor(of: MethodOfClass, outcomes: readonly Outcome[], meets: Meets) {
    this.of = of;
    this.#outcomes = [...outcomes];
    this.isFor = meets;
  }

  /** The arguments of every attempt that it has answered, in their order. */
  get calls(): readonly (readonly unknown[])[] {
    return this.#calls;
  }

  /** How many outcomes are still to come. */
  get left(): number {
    return this.#outcomes.length;
  }

  /** @internal */
  isReplacedBy({ of }: Script): boolean {
    return of.type === this.of.type && of.name === this.of.name;
  }

  /** @internal What this attempt comes to; undefined: it is used up. */
  next(args: readonly unknown[]): Outcome | undefined {
    const outcome = this.#outcomes.shift();
    if (outcome !== undefined) this.#calls.push([...args]);
    return outcome;
  }
}
