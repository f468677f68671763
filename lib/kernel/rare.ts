import type { Audience } from './audience.js';

/** What runs inside an attempt in place of a method: attempts beside each other, or a run that others share. */
export interface InsideOf<A> {
  /** The number of the newest attempt. */
  readonly attempt: number;
  readonly begun: boolean;
  /** One of the attempts inside has given a value, and has not given back yet what it held. */
  answered?(attempt: A, value: unknown): void;
  item?(): void;
}

/** What few attempts need: those that are cut, have waited, are part of others, shared, or begun before their kind was known. */
export class RareOf<A> {
  number = 1;
  /** The guarded call that it runs in, or the attempt that it is a part of. */
  around: A | undefined = undefined;
  /** When its method was called, where that was not at once. */
  begunAt: number | undefined = undefined;
  /** Why it was cut. */
  reason: unknown = undefined;
  audience: Audience | undefined = undefined;
  /** Whether it is one of several that make up the attempt around it. */
  isPart = false;
  /** The caller that has begun it for itself and others, of a run that is shared. */
  startedBy: A | undefined = undefined;
  inside: InsideOf<A> | undefined = undefined;
  /** What its method has given already, before anybody knew what it would be. */
  given: { readonly value: unknown } | undefined = undefined;
  /** Whether its work runs already. */
  underway = false;
  /** The attempt that has begun before all of this, and takes the place of the innermost one. */
  early: { take(): A | undefined } | undefined = undefined;
  hasWaited = false;
  /** Whether a guard threw while it was settled, and may have kept something. */
  faulty = false;
  /** Whether a stream of it has given an item. */
  emitted = false;
  /** Whether it is the probe of a half-open breaker. */
  probe = false;
  /** Whether its breaker only watches it, and would have refused it. */
  watched = false;
  /** Whether whoever sent the request makes it again, so that nothing below does. */
  callerRetries = false;
  /** How old the oldest of the last good answers is that stood in for others inside it, ms. */
  staleMs: number | undefined = undefined;
  /** Whether a policy has judged its value to be no good one. */
  judgedBad = false;
  /** Whether the breaker's `errorFilter` has taken it out of all counts. */
  filtered = false;
}
