import type { Call } from './call.js';
import type { PaidByFirsts } from './course.js';
import type { Failure } from './outcome/failure.js';

/** What a decision says of an error that is none of its business. */
export const PASS = Symbol('pass');

/** Another attempt is to be made, after a pause. */
export class Again {
  readonly #brand = true;

  constructor(
    readonly delayMs: number,
    /** Told why the pause was cut. */
    readonly onCut: (reason: unknown) => void,
    /** The error of a pause that the end of the app has cut. */
    readonly atShutdown: () => Error,
  ) {}

  /** It looks at nothing that could be a trap: any other answer is somebody's own. */
  static is(verdict: unknown): verdict is Again {
    return typeof verdict === 'object' && verdict !== null && #brand in verdict;
  }
}

/** What becomes of a call whose attempt has failed. Decisions are asked from the innermost to the outermost. */
export interface Decision {
  /**
   * @param atOnce whether the answer is given at once, by a synchronous method, and not through a promise.
   * @returns {@link PASS}, {@link Again}, or the answer in place of the error: a value, a promise, or a rejection.
   */
  failed(call: Call, failure: Failure, atOnce: boolean): unknown;
  /** Told of each call before its first attempt. */
  begin?(call: Call): void;
  /** Whether a value can ask for another attempt as well. Then it is the innermost decision. */
  readonly judgesResults?: boolean;
  /** @returns the value, {@link Again}, or a rejection. */
  succeeded?(call: Call, value: unknown): unknown;
  /** Told of each value that a call gives by an attempt of its own. It may neither fail nor hold up anything. */
  gave?(call: Call, value: unknown): void;
  /** With {@link gave}: told of each item of a stream. It may not fail either. */
  item?(call: Call, item: unknown): void;
  /** Is paid for each first attempt that has begun. */
  readonly budget?: PaidByFirsts | undefined;
  /** Whether what it answers may be a stream, and is handed on as one. */
  readonly answers: boolean;
}
