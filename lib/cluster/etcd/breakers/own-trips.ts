import type { Clock } from '../../../kernel/clock.js';
import type { Instances } from '../../../planning/instances.js';
import { Advice, type AdviceMode, type ProbeTurn } from '../../../policies/circuit-breaker/advice.js';
import type { BreakerCore } from '../../../policies/circuit-breaker/breaker-core.js';
import type { TripReport } from './trip-report.js';

/** A breaker that closes forgets its calls: it counts as called until the next ones can have come, ms. */
const GRACE_MS = 2_000;

/** A breaker of this process, with what it hears and tells. */
export interface OwnBreaker {
  readonly core: BreakerCore;
  readonly advice: Advice;
  /** When it was last found to have been called, on the monotonic clock. */
  seenAt: number;
}

/** What is told of the breakers of this process. */
export interface OwnTripsListener {
  /** One has entered another state. */
  changed(): void;
  /** One is there, or has come into being. */
  added(name: string): void;
  /** Whose turn it is to probe the dependency of one. */
  turn(name: string): ProbeTurn;
}

/** The named breakers of this process; those of single keys are no business of others. */
export class OwnTrips {
  readonly #breakers = new Map<string, OwnBreaker>();
  #leave: (() => void) | undefined;

  constructor(
    private readonly instances: Instances,
    private readonly clock: Clock,
    private readonly mode: AdviceMode,
    private readonly told: OwnTripsListener,
  ) {}

  /** Lets those that are here, and those that come, hear advice. */
  start(): void {
    this.#leave = this.instances.watchBreakers({
      added: ({ name, single: core }) => {
        if (core === undefined) return;
        core.advice = new Advice(core, this.mode, {
          changed: () => this.told.changed(),
          turn: () => this.told.turn(name),
        });
        this.#breakers.set(name, { core, advice: core.advice, seenAt: -Infinity });
        this.told.added(name);
      },
      removed: ({ name }) => void this.#breakers.delete(name),
    });
  }

  get(name: string): OwnBreaker | undefined {
    return this.#breakers.get(name);
  }

  names(): Iterable<string> {
    return this.#breakers.keys();
  }

  /** Whether this process has called a breaker in its last window. One that refuses nothing has no say. */
  isCalled({ core, seenAt }: OwnBreaker): boolean {
    return !core.watchesOnly && this.clock.now() - seenAt < GRACE_MS;
  }

  /** Notes which are called; to be done more often than each {@link GRACE_MS}. */
  look(): void {
    const now = this.clock.now();
    for (const own of this.#breakers.values()) {
      own.core.tally.advance(now);
      if (own.core.tally.fires > 0) own.seenAt = now;
    }
  }

  /** What is to be told of them now. */
  report(): TripReport {
    this.look();
    const called: string[] = [];
    const open: string[] = [];
    for (const [name, own] of this.#breakers) {
      if (own.advice.isOpenByCalls) open.push(name);
      if (this.isCalled(own)) called.push(name);
    }
    return { open, called };
  }

  /** The names of a report with the most recent first; it costs more than the report, and is needed for a long one only. */
  byRecency({ open, called }: TripReport): TripReport {
    const ages = new Map(called.map((name) => [name, this.#ageOf(name)]));
    const age = (name: string): number => ages.get(name) ?? Infinity;
    const opened = new Set(open);
    const order = (one: string, other: string): number =>
      Number(opened.has(other)) - Number(opened.has(one)) || age(one) - age(other);
    return { open: [...open].sort(order), called: [...called].sort(order) };
  }

  close(): void {
    this.#leave?.();
    for (const { core } of this.#breakers.values()) core.advice = undefined;
  }

  /** How long ago it was called, to the width of a bucket, ms. */
  #ageOf(name: string): number {
    const own = this.#breakers.get(name);
    if (own === undefined) return Infinity;
    const { tally, options } = own.core;
    const buckets = tally.bucketsAt(this.clock.now());
    const newest = buckets.findIndex(({ fires }) => fires > 0);
    return newest < 0 ? Infinity : (newest * options.rollingCountTimeout) / buckets.length;
  }
}
