import { ResilienceConfigurationError } from '../../errors/configuration.error.js';
import {
  checkOptions,
  either,
  isPlainObject,
  MOST,
  numberUpTo,
  positiveMs,
  wholeNumber,
  type Expectation,
} from '../options/check.js';
import { placed } from '../options/placed.js';
import { made, recipeOf } from '../options/recipe.js';

/** What {@link adaptive} takes. */
export interface AdaptiveOptions {
  /** The limit to begin with, from `min` to `max`. @default 20 */
  initial?: number;
  /** The limit never falls below, from 1; below 4 it only lets `initial` be as low. @default 4 */
  min?: number;
  /** The limit never rises above, from `min` to 1_000_000. @default 1_000 */
  max?: number;
  /** How many times as long as unloaded the work may take, from 1: higher favours throughput. @default 1 */
  tolerance?: number;
  /**
   * The longest time between two probes while latency is raised, ms, or 10 times as long as the work takes, if that is
   * more: for a moment the limit is lowered, to see how fast the work is when nothing queues.
   * @default 10_000
   */
  probeEvery?: number;
}

export type ResolvedAdaptive = Readonly<Required<AdaptiveOptions>>;

/**
 * A limit that follows latency; made by {@link adaptive}.
 *
 * @publicApi
 */
export interface AdaptiveConcurrency {
  readonly kind: 'adaptive';
  readonly options: ResolvedAdaptive;
}

const DEFAULTS: ResolvedAdaptive = { initial: 20, min: 4, max: 1_000, tolerance: 1, probeEvery: 10_000 };
const PLACE = 'adaptive()';
const factor = numberUpTo(MOST.factor, 'a number of at least 1', (value) => value >= 1);
const atOnce = wholeNumber(1, MOST.atOnce);

/**
 * How many run at once, found by watching latency: the limit grows as long as more at once costs no time, and shrinks
 * when work begins to queue behind other work. Nobody has to guess a number.
 *
 * @throws ResilienceConfigurationError for a wrong option, or unless `min <= initial <= max`.
 *
 * @example
 * @Bulkhead({ maxConcurrent: adaptive({ max: 100 }), maxQueue: 50 })
 *
 * @publicApi
 */
export function adaptive(options: AdaptiveOptions = {}): AdaptiveConcurrency {
  checkOptions<AdaptiveOptions>(PLACE, options, {
    initial: atOnce,
    min: atOnce,
    max: atOnce,
    tolerance: factor,
    probeEvery: positiveMs,
  });
  const { max = DEFAULTS.max, tolerance = DEFAULTS.tolerance, probeEvery = DEFAULTS.probeEvery } = options;
  const min = options.min ?? Math.min(DEFAULTS.min, max, options.initial ?? max);
  const initial = options.initial ?? Math.min(Math.max(DEFAULTS.initial, min), max);
  if (min > max)
    throw new ResilienceConfigurationError(PLACE, `option 'max': expected at least 'min' (${min}), got ${max}`);
  if (initial < min || initial > max) {
    const problem = `option 'initial': expected a number from 'min' (${min}) to 'max' (${max}), got ${initial}`;
    throw new ResilienceConfigurationError(PLACE, problem);
  }
  const limit: AdaptiveConcurrency = { kind: 'adaptive', options: { initial, min, max, tolerance, probeEvery } };
  return made(limit, limit.kind, limit.options);
}

/** Whether {@link adaptive} has made and checked it; nothing else is taken, whatever it looks like. */
export function isAdaptive(value: unknown): value is AdaptiveConcurrency {
  return recipeOf(value)?.kind === 'adaptive';
}

/** How many may run at once: a number, or a limit that finds it. */
export const concurrency: Expectation = either(atOnce, {
  expected: 'adaptive()',
  factories: [adaptive],
  accepts: isAdaptive,
});

/**
 * The limit that data such as `{ adaptive: { max: 100 } }` asks for; undefined for anything else.
 *
 * @throws ResilienceConfigurationError for wrong options in it.
 */
export function adaptiveOf(place: string, data: unknown): AdaptiveConcurrency | undefined {
  if (!isPlainObject(data) || Object.keys(data).length !== 1 || !Object.hasOwn(data, 'adaptive')) return undefined;
  return placed(place, () => adaptive(data.adaptive as AdaptiveOptions));
}
