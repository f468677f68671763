import type { Handler } from '../kernel/answer.js';
import type { RecoverOptions } from '../policies/recover/recover.options.js';
import { policyDecorator } from './guard.js';
import type { AnswerDecorator, NamedAnswerDecorator } from './types.js';

type Common = Omit<RecoverOptions, 'use'>;

/**
 * The outermost guard, as Go's `defer` and `recover`: whatever escapes everything else, a synchronous throw and the
 * failure of a fallback included, is logged with its stack, and the handler's value, or undefined, is the answer.
 *
 * On an HTTP handler an `HttpException` below 500 is an answer and passes, unless `on` names it.
 *
 * @example
 * @Recover((error, { methodName }) => ({ degraded: true }))
 * @Cron('* * * * *')
 * async refresh(): Promise<Summary> { ... }
 *
 * @publicApi
 */
export function Recover(off?: false): AnswerDecorator;
export function Recover<T = unknown>(handler: Handler<T>): AnswerDecorator;
export function Recover<const N extends string>(options: { use: N } & Common): NamedAnswerDecorator<N>;
export function Recover<T = unknown>(options: { use?: Handler<T> } & Common): AnswerDecorator;
export function Recover(...args: unknown[]): AnswerDecorator {
  return policyDecorator('recover', '@Recover()', args, ([setting = true]) => ({ setting })) as AnswerDecorator;
}
