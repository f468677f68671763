import type { Target } from './target.js';

// What an attempt knows of its surroundings. `A` is the attempt, which refers to these.

/** Is paid for each first attempt that has begun. */
export interface PaidByFirsts {
  earn(startedAt: number): void;
}

/** The way that an attempt takes through its guards, as the attempt knows it. */
export interface CourseOf<A> {
  readonly target: Target;
  /** Is paid for each first attempt that has begun; undefined: nobody. */
  readonly budget: PaidByFirsts | undefined;
  /** The error of an attempt whose own time is over. */
  expired(attempt: A): Error;
  /** Ends an attempt for its caller, while its work goes on. */
  cutShort(attempt: A, reason: unknown): void;
  /** Its work has ended at once, with the consumer that has left. */
  abandoned(attempt: A): void;
  /** An item of its stream has come. */
  item(attempt: A, value?: unknown): void;
  /** The consumer of its stream, or whoever pushes, owes or wants the next item. */
  wanted(attempt: A): void;
  /** Nobody asks for the next item. */
  parked(attempt: A): void;
}

/** The call of an attempt, as far as the attempt needs it; see call.ts. */
export interface Surrounding {
  readonly abortable: boolean;
  /** What bounds all attempts of the call together. */
  readonly bound: number;
  begun: boolean;
  /** No limit bounds it any more: it is over, or its stream is bounded from item to item by the limit of its attempt. */
  done(): void;
}

/** Knows the attempts that wait, so that it can end their waits. */
export interface WaitingRoomOf<A> {
  enter(attempt: A): void;
  leave(attempt: A): void;
}
