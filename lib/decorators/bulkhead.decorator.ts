import type { BulkheadConfig, BulkheadSetting } from '../policies/bulkhead/bulkhead.options.js';
import { policyDecorator } from './guard.js';
import type { GuardDecorator } from './types.js';

/**
 * Lets a bounded number of calls run at once, and a bounded number wait; the others are refused with
 * {@link BulkheadFullException}.
 *
 * A number, or `adaptive()`, is how many run at once. Without a name each method has slots of its own; methods that name one share them.
 * Those that call each other wait for themselves unless `forRoot({ callContext: true })` lets them know: then the inner
 * call runs on the slot of the outer one.
 *
 * @example
 * @Bulkhead({ maxConcurrent: 20, maxQueue: 50, maxWait: 200 })
 * render(report: Report): Promise<Buffer> { ... }
 *
 * @publicApi
 */
export function Bulkhead(setting?: BulkheadSetting | false): GuardDecorator;
export function Bulkhead(name: string, options?: BulkheadConfig): GuardDecorator;
export function Bulkhead(...args: unknown[]): GuardDecorator {
  return policyDecorator('bulkhead', '@Bulkhead(10)', args) as GuardDecorator;
}
