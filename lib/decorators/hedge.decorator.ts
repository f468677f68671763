import type { HedgeOptions } from '../policies/hedge/hedge.options.js';
import { policyDecorator } from './guard.js';
import type { PromiseDecorator } from './types.js';

/**
 * Calls once more while the first call is without an answer for longer than usual; the first answer wins, and the
 * other call is aborted. For what may be done twice only: reads, and writes that are idempotent.
 *
 * A failure is given as it is (that is what `@Retry` is for), and no hedge begins while the breaker is not closed. Each
 * hedge takes from the budget that it shares with the retries. A name takes the options from `policies`.
 *
 * @example
 * @Hedge({ after: { percentile: 95, max: 500 } })
 * find(id: string): Promise<Item> { ... }
 *
 * @publicApi
 */
export function Hedge(options: HedgeOptions | false): PromiseDecorator;
export function Hedge(name: string, options?: HedgeOptions): PromiseDecorator;
export function Hedge(...args: unknown[]): PromiseDecorator {
  return policyDecorator('hedge', '@Hedge({ after: 100 })', args) as PromiseDecorator;
}
