import { isDeepStrictEqual } from 'node:util';
import { ResilienceConfigurationError } from '../errors/configuration.error.js';
import { Loss } from '../kernel/loss.js';
import type { Options } from '../kernel/options/options.js';
import type { PolicyEnvironment } from '../kernel/policy.js';
import {
  refuseOtherBudget,
  RETRY_BUDGET_DEFAULTS,
  type DeclaredRetryBudget,
} from '../kernel/retry-budget/retry-budget.options.js';
import { RetryBudget } from '../kernel/retry-budget/retry-budget.js';
import type { Ruling } from '../kernel/ruling.js';
import type { StateKind, Stateful } from '../kernel/state-kind.js';
import { BULKHEADS } from '../policies/bulkhead/bulkhead.kind.js';
import type { Bulkheads } from '../policies/bulkhead/bulkheads.js';
import type { Breaker } from '../policies/circuit-breaker/breaker.js';
import { CIRCUIT_BREAKERS } from '../policies/circuit-breaker/circuit-breaker.kind.js';
import type { NamedBreakers } from '../policies/circuit-breaker/named-breakers.js';
import { KINDS, type AnyKind } from '../policies/kinds.js';
import { RATE_LIMITERS } from '../policies/rate-limit/rate-limit.kind.js';
import type { RateLimiter } from '../policies/rate-limit/rate-limiter.js';
import { sameOptions } from './same-options.js';

interface KnownBudget {
  readonly budget: RetryBudget;
  declared: DeclaredRetryBudget | undefined;
}

const stateKinds: readonly StateKind[] = (KINDS as readonly AnyKind[]).flatMap(({ state }) => state ?? []);

/** Hears of the breakers of an app. */
export interface BreakerListener {
  /** One is there, or has come into being; no call has met it before. */
  added(breakers: NamedBreakers): void;
  /** Nobody uses it any more. */
  removed?(breakers: NamedBreakers): void;
}

/** The policies of an app that keep state: one for each name. */
export class Instances {
  readonly #states = new Map<StateKind, Map<string, Stateful>>(
    stateKinds.map((kind) => [kind, new Map<string, Stateful>()]),
  );
  readonly #budgets = new Map<string, KnownBudget>();
  readonly #breakerListeners = new Set<BreakerListener>();
  readonly #onRelease = new Set<(name: string) => void>();

  constructor(private readonly environment: PolicyEnvironment) {}

  /**
   * What keeps the state of a name, made at the first request.
   *
   * @param ruling what rules say of it.
   * @throws ResilienceConfigurationError when the name has other options already.
   */
  state<S extends Stateful>(kind: StateKind<S>, name: string, given: Options, ruling?: Ruling): S {
    const options = kind.optionsOf?.(given, ruling) ?? given;
    const known = this.#of(kind);
    const instance = known.get(name);
    if (instance === undefined) {
      const created = kind.create(name, options, this.environment, ruling);
      known.set(name, created);
      if (isBreakers(kind, created)) for (const listener of this.#breakerListeners) listener.added(created);
      return created;
    }
    if (sameOptions(instance.options as Options, options)) return instance;
    throw new ResilienceConfigurationError(
      `${kind.what} '${name}'`,
      'has two definitions with different options; expected one for each name (a function is the same only if it is the very same one: make it once, and not at each call)',
    );
  }

  /**
   * The budget of a name. Whoever declares nothing takes what others declared, before or after.
   *
   * @throws ResilienceConfigurationError when the name has another definition already.
   */
  retryBudget(name: string, declared: DeclaredRetryBudget | undefined): RetryBudget {
    const known = this.#budgets.get(name);
    if (known === undefined) {
      const { clock } = this.environment;
      const budget = new RetryBudget(declared?.options ?? RETRY_BUDGET_DEFAULTS, clock.now());
      this.#budgets.set(name, { budget, declared });
      return budget;
    }
    if (declared === undefined) return known.budget;
    if (known.declared !== undefined) refuseOtherBudget(name, known.declared, declared);
    else {
      known.declared = declared;
      known.budget.configure(declared.options);
    }
    return known.budget;
  }

  /** Lets those that are here take on the options that those of the same name have in `wanted`; they keep their state. */
  reconfigure(wanted: Instances): void {
    for (const kind of stateKinds) follow(kind, this.#of(kind), wanted.#of(kind));
    for (const [name, { budget, declared }] of wanted.#budgets) {
      const known = this.#budgets.get(name);
      if (known === undefined) continue;
      known.declared = declared;
      if (!isDeepStrictEqual(known.budget.options, budget.options))
        known.budget.reconfigure(budget.options, this.environment.clock.now());
    }
  }

  /** What would be lost with the state of a name. */
  lossWith(name: string): Loss {
    const now = this.environment.clock.now();
    const losses = stateKinds.map((kind) => {
      const state = this.#of(kind).get(name);
      return state === undefined ? Loss.Nothing : kind.lossWith(state, now);
    });
    return Math.max(...losses);
  }

  /** Forgets what is known by a name: nobody uses it any more. */
  release(name: string): void {
    for (const kind of stateKinds) {
      const state = this.#of(kind).get(name);
      this.#of(kind).delete(name);
      if (state !== undefined) this.#retire(kind, state);
    }
    this.#budgets.delete(name);
    for (const tell of this.#onRelease) tell(name);
  }

  /** Lets `listener` hear of each name that nobody uses any more. @returns a function that ends it. */
  watchReleases(listener: (name: string) => void): () => void {
    this.#onRelease.add(listener);
    return () => void this.#onRelease.delete(listener);
  }

  /** Forgets them all. */
  clear(): void {
    for (const kind of stateKinds) {
      for (const state of this.#of(kind).values()) this.#retire(kind, state);
      this.#of(kind).clear();
    }
    this.#budgets.clear();
  }

  /** Lets `listener` hear of every breaker there is, and of each that comes and goes. @returns a function that ends it. */
  watchBreakers(listener: BreakerListener): () => void {
    this.#breakerListeners.add(listener);
    for (const breakers of this.#breakers.values()) listener.added(breakers);
    return () => void this.#breakerListeners.delete(listener);
  }

  /** Lets all begin anew. Breakers stay the same ones, since code may hold a handle of one; the others are made again. */
  reset(): void {
    for (const breaker of this.breakers()) breaker.reset();
    for (const kind of stateKinds) {
      if (kind === (CIRCUIT_BREAKERS as StateKind)) continue;
      for (const state of this.#of(kind).values()) this.#retire(kind, state);
      this.#of(kind).clear();
    }
    this.#budgets.clear();
  }

  /** The breaker of a name, or of one of its keys. */
  breaker(name: string, key?: string): Breaker | undefined {
    return this.#breakers.get(name)?.breaker(key);
  }

  breakers(): Breaker[] {
    return [...this.#breakers.values()].flatMap((policy) => policy.breakers());
  }

  bulkheads(): Bulkheads[] {
    return [...this.#of(BULKHEADS).values()];
  }

  rateLimiters(): RateLimiter[] {
    return [...this.#of(RATE_LIMITERS).values()];
  }

  /** The breakers of each name, its keys together. */
  namedBreakers(): NamedBreakers[] {
    return [...this.#breakers.values()];
  }

  /** Whether anything keeps state under a name. */
  knows(name: string): boolean {
    return stateKinds.some((kind) => this.#of(kind).has(name));
  }

  retryBudgets(): [name: string, budget: RetryBudget][] {
    return [...this.#budgets].map(([name, { budget }]) => [name, budget]);
  }

  breakerNames(): string[] {
    return [...this.#breakers.keys()];
  }

  #retire(kind: StateKind, state: Stateful): void {
    kind.retire?.(state);
    if (isBreakers(kind, state)) for (const listener of this.#breakerListeners) listener.removed?.(state);
  }

  get #breakers(): ReadonlyMap<string, NamedBreakers> {
    return this.#of(CIRCUIT_BREAKERS);
  }

  /** Everything that one kind has made, by name: nothing else is ever put there. */
  #of<S extends Stateful>(kind: StateKind<S>): Map<string, S> {
    return this.#states.get(kind) as Map<string, S>;
  }
}

/** Nothing else is ever kept under their kind. */
function isBreakers(kind: StateKind, _state: Stateful): _state is NamedBreakers {
  return kind === (CIRCUIT_BREAKERS as StateKind);
}

function follow<S extends Stateful>(
  kind: StateKind<S>,
  known: ReadonlyMap<string, S>,
  wanted: ReadonlyMap<string, S>,
): void {
  for (const [name, { options }] of wanted) {
    const instance = known.get(name);
    if (instance !== undefined && !sameOptions(instance.options as Options, options as Options))
      instance.reconfigure(options);
  }
  for (const [name, other] of wanted) {
    const instance = known.get(name);
    if (instance !== undefined) kind.follow?.(instance, other);
  }
}
