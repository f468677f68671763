import { checkOptions, checkValue, offOr, positiveMs, show } from '../../kernel/options/check.js';
import { TIMEOUT_OPTIONS_ELSEWHERE } from './foreign-options.js';
import { ResilienceConfigurationError } from '../../errors/configuration.error.js';

/**
 * How long a call may take.
 *
 * @publicApi
 */
export interface TimeoutOptions {
  /** Bounds each attempt, its wait for a slot included; ms, above 0. `false`: no bound. @default none */
  perAttempt?: number | false;
  /** Bounds the whole call: every attempt and every pause between them; ms, above 0. `false`: no bound. @default none */
  total?: number | false;
}

/** The forms in which a policy set takes a timeout: ms for each attempt, or options. */
export type TimeoutSetting = number | TimeoutOptions;

/** @throws ResilienceConfigurationError */
export function parseTimeout(place: string, setting: unknown): TimeoutOptions {
  if (typeof setting === 'object') {
    checkOptions<TimeoutOptions>(
      place,
      setting,
      { perAttempt: offOr(positiveMs), total: offOr(positiveMs) },
      TIMEOUT_OPTIONS_ELSEWHERE,
    );
    return setting;
  }
  checkValue(place, 'timeout', setting, positiveMs);
  return { perAttempt: setting as number };
}

/** @throws ResilienceConfigurationError when there is nothing to bound a call by. */
export function resolveTimeout(place: string, options: TimeoutOptions): TimeoutOptions {
  if (options.perAttempt === undefined && options.total === undefined) {
    throw new ResilienceConfigurationError(
      place,
      `a timeout has no built-in value: expected milliseconds here, in the named policy set, or in policies.default.timeout; got ${show(undefined)}`,
    );
  }
  return options;
}
