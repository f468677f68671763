import type { Handler } from '../kernel/answer.js';
import type { ErrorMatch } from '../kernel/error-match.js';
import type { LastGoodOptions } from '../policies/fallback/last-good.options.js';
import { policyDecorator } from './guard.js';
import type { AnswerDecorator, FallbackElement, ListDecorator, NamedAnswerDecorator } from './types.js';

interface Rules {
  on?: ErrorMatch;
  skipOn?: ErrorMatch;
}

/**
 * Answers in place of a call that failed or was refused: by another method of the same object, by a handler, or by a
 * value, or by the last success of the same key. Of a list the first whose `on` holds answers. Another 4xx and the caller's abort pass through it, unless `on`
 * names them.
 *
 * A method is called with the arguments of the call and then the error; the compiler checks that it exists and fits.
 *
 * @example
 * @Fallback('cached')
 * price(sku: string): Promise<Price> { ... }
 * cached(sku: string, error: unknown): Price { ... }
 *
 * @example
 * @Fallback([{ use: 'cached', on: CircuitOpenException }, { value: [] }])
 * list(): Promise<Item[]> { ... }
 *
 * @example
 * // The last success for the same user and report, if it is at most a day old; from the database, after a restart.
 * @Fallback({ lastGood: { key: (user: string, id: number) => `${user}/${id}`, maxAge: 86_400_000, store: ({ data }) => data } })
 * report(user: string, id: number): Promise<Report> { ... }
 *
 * @publicApi
 */
export function Fallback(off: false): AnswerDecorator;
export function Fallback<const N extends string>(methodName: N): NamedAnswerDecorator<N>;
export function Fallback<const N extends string>(options: { use: N } & Rules): NamedAnswerDecorator<N>;
export function Fallback<T = unknown>(handler: Handler<T>): AnswerDecorator;
export function Fallback<T = unknown>(options: { use: Handler<T> } & Rules): AnswerDecorator;
export function Fallback(options: { value: unknown } & Rules): AnswerDecorator;
export function Fallback(options: { lastGood: LastGoodOptions } & Rules): AnswerDecorator;
export function Fallback<const L extends readonly FallbackElement[]>(list: L): ListDecorator<L>;
export function Fallback(...args: unknown[]): AnswerDecorator {
  return policyDecorator('fallback', `@Fallback('methodName')`, args, ([setting]) => ({ setting })) as AnswerDecorator;
}
