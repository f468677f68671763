import { instanceOf } from '../errors/foreign.js';
import { checkValue, nonNegativeMs } from '../kernel/options/check.js';

/** How one attempt of a scripted method ends. */
type End =
  | { readonly type: 'returns'; readonly value: unknown }
  | { readonly type: 'throws'; readonly error: unknown }
  | { readonly type: 'asks'; readonly answer: (...args: readonly unknown[]) => unknown }
  | { readonly type: 'hangs' }
  | { readonly type: 'real' };

/**
 * What a scripted attempt comes to, made by {@link returns}, {@link throws}, {@link hang}, {@link real} and {@link after}.
 *
 * @publicApi
 */
export class Outcome {
  constructor(
    /** @internal */ readonly end: End,
    /** How long it takes first, ms. */
    readonly delayMs = 0,
  ) {}
}

/** What a method gives in the end. */
type Given<R> =
  R extends PromiseLike<infer T>
    ? T
    : R extends { subscribe(...args: never[]): unknown; pipe(...args: never[]): unknown }
      ? R | ItemOf<R>
      : R extends AsyncIterable<infer T>
        ? R | T
        : R;
type ItemOf<R> = R extends { forEach(next: (value: infer T) => void): unknown } ? T : unknown;

/**
 * One entry of a script: a value is given, an Error is thrown, a function is asked with the arguments of the call; and
 * {@link Outcome}.
 *
 * @publicApi
 */
export type Scripted<F> = F extends (...args: infer A) => infer R
  ? Given<R> | Error | Outcome | ((...args: A) => Given<R> | PromiseLike<Given<R>>)
  : never;

/** Gives `value`, whatever it is: also an Error or a function. @publicApi */
export const returns = (value: unknown): Outcome => new Outcome({ type: 'returns', value });

/** Throws `error`, whatever it is: also what is no Error. @publicApi */
export const throws = (error: unknown): Outcome => new Outcome({ type: 'throws', error });

/** Never answers: it ends when its attempt is cut, by a time limit, the caller, `reset()` or the end of the app. @publicApi */
export const hang = (): Outcome => new Outcome({ type: 'hangs' });

/** Calls the method itself. @publicApi */
export const real = (): Outcome => new Outcome({ type: 'real' });

/**
 * As `outcome`, after `ms` on the app's clock.
 *
 * @param ms from 0.
 * @throws ResilienceConfigurationError for what is no number of milliseconds of at least 0.
 * @publicApi
 */
export function after(ms: number, outcome: unknown): Outcome {
  checkValue('after()', 'ms', ms, nonNegativeMs);
  const { end, delayMs } = outcomeOf(outcome);
  return new Outcome(end, delayMs + ms);
}

/** An entry of a script in its one form. */
export function outcomeOf(entry: unknown): Outcome {
  if (instanceOf(entry, Outcome)) return entry;
  if (instanceOf(entry, Error)) return throws(entry);
  if (typeof entry === 'function')
    return new Outcome({ type: 'asks', answer: entry as (...args: readonly unknown[]) => unknown });
  return returns(entry);
}
