import { concurrency, isAdaptive, type AdaptiveConcurrency } from '../../kernel/adaptive-limit/adaptive.options.js';
import type { CallInfo } from '../../kernel/call-info.js';
import type { AdaptiveRule } from '../../kernel/adaptive-limit/concurrency-rule.js';
import type { OrData } from '../../kernel/options/or-data.js';
import {
  aFunction,
  checkOptions,
  checkValue,
  MOST,
  nonNegativeMs,
  offOr,
  oneOf,
  positiveMsOrInfinity,
  wholeNumber,
} from '../../kernel/options/check.js';
import { stateScope, type StateScope } from '../../kernel/options/state-scope.js';
import { BULKHEAD_OPTIONS_ELSEWHERE } from './foreign-options.js';

/**
 * How many calls may run at once, and how many may wait.
 *
 * @publicApi
 */
export interface BulkheadOptions {
  /** How many run at once, from 1 to 1_000_000; `adaptive()` finds the number by watching latency. @default 10 */
  maxConcurrent?: number | AdaptiveConcurrency;
  /** How many wait for a slot, the more important first, among equals first come first served; from 0 to 1_000_000. @default 0 */
  maxQueue?: number;
  /**
   * How important a call is that has to wait; higher is more important. When the queue is full, a newcomer takes the
   * place of the least important one that waits, the latest among equals, if it is more important itself.
   * @default all alike
   */
  priority?: (call: CallInfo) => number;
  /**
   * The longest wait, ms, above 0; `Infinity`: as long as it takes.
   *
   * @default none: as long as the call's own time limits and its signal allow; where there are neither, until no slot has
   * come back for 30 s, since those who hold the slots may then wait for this bulkhead themselves
   */
  maxWait?: number;
  /**
   * Work that goes on after its call was cut keeps its slot at most this long, ms; `false`: until it really ends.
   * @default 60_000
   */
  abandonAfter?: number | false;
  /**
   * Slots and a queue for each key that this gives for the call's arguments, so that one tenant cannot take them all; a key
   * longer than 512 bytes is kept as its hash. @default one bulkhead for all calls
   */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- the arguments are those of the guarded method
  key?: (...args: any[]) => string;
  /**
   * How many keys have slots of their own at once, from 1 to 1_000_000. The key that was idle for longest gives way to a
   * new one; where none is idle, new keys share slots, `name[*]`. @default 1_000
   */
  maxKeys?: number;
  /**
   * Whether all instances of the class share it, or each instance of a static provider has its own: `name#2` from the
   * second on. On a request-scoped or transient provider `'instance'` is a start-up error. @default 'class'
   */
  scope?: StateScope;
  /**
   * `'metricsOnly'`: it counts and tells what it would have refused (`refused` events with `metricsOnly`), and neither
   * refuses anything nor lets anything wait. @default 'normal'
   */
  mode?: 'normal' | 'metricsOnly';
}

/** The forms in which a policy set takes a bulkhead: how many run at once, or options. */
export type BulkheadSetting = number | AdaptiveConcurrency | AdaptiveRule | BulkheadOptions | BulkheadConfig;

/** Options as configuration holds them: an adaptive limit may be data. */
export type BulkheadConfig = OrData<BulkheadOptions, { maxConcurrent: AdaptiveRule }>;

type Optional = 'maxWait' | 'priority' | 'key' | 'maxKeys' | 'scope';
export type ResolvedBulkhead = Required<Omit<BulkheadOptions, Optional>> & Pick<BulkheadOptions, Optional>;

export const BULKHEAD_DEFAULTS = {
  maxConcurrent: 10,
  maxQueue: 0,
  abandonAfter: 60_000,
  mode: 'normal',
} as const satisfies BulkheadOptions;

/** How many keys have slots of their own at once, where a bulkhead has keys. */
export const DEFAULT_BULKHEAD_KEYS = 1_000;

/** @throws ResilienceConfigurationError */
export function parseBulkhead(place: string, setting: unknown): BulkheadOptions {
  if (typeof setting !== 'object' || isAdaptive(setting)) {
    checkValue(place, 'maxConcurrent', setting, concurrency);
    return { maxConcurrent: setting as number | AdaptiveConcurrency };
  }
  checkOptions<BulkheadOptions>(
    place,
    setting,
    {
      maxConcurrent: concurrency,
      maxQueue: wholeNumber(0, MOST.atOnce),
      priority: aFunction,
      maxWait: positiveMsOrInfinity,
      abandonAfter: offOr(nonNegativeMs),
      key: aFunction,
      maxKeys: wholeNumber(1, MOST.keys),
      scope: stateScope,
      mode: oneOf('normal', 'metricsOnly'),
    },
    BULKHEAD_OPTIONS_ELSEWHERE,
  );
  return setting;
}
