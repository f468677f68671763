import type { Handler } from '../kernel/answer.js';
import type { ErrorMatch } from '../kernel/error-match.js';
import { policyDecorator } from './guard.js';
import type { AnswerDecorator, FallbackElement, ListDecorator, NamedAnswerDecorator } from './types.js';

interface Rules {
  on?: ErrorMatch;
  skipOn?: ErrorMatch;
}

/**
 * Answers in place of a call that failed or was refused: by another method of the same object, by a handler, or by a
 * value. Of a list the first whose `on` holds answers. Another 4xx and the caller's abort pass through it, unless `on`
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
 * @publicApi
 */
export function Fallback(off: false): AnswerDecorator;
export function Fallback<const N extends string>(methodName: N): NamedAnswerDecorator<N>;
export function Fallback<const N extends string>(options: { use: N } & Rules): NamedAnswerDecorator<N>;
export function Fallback<T = unknown>(handler: Handler<T>): AnswerDecorator;
export function Fallback<T = unknown>(options: { use: Handler<T> } & Rules): AnswerDecorator;
export function Fallback(options: { value: unknown } & Rules): AnswerDecorator;
export function Fallback<const L extends readonly FallbackElement[]>(list: L): ListDecorator<L>;
export function Fallback(setting: unknown): AnswerDecorator {
  return policyDecorator({ key: 'fallback', label: '@Fallback', setting }) as AnswerDecorator;
}
