import { startSeries, type BackoffSetting } from '../../lib/kernel/backoff/backoff.js';
import { newCall } from './calls.js';
import { TestEnvironment } from './test-environment.js';

/** The pauses before the next `count` attempts of one call. */
export function pausesOf(backoff: BackoffSetting, count: number, random = () => 0.5): number[] {
  const series = startSeries(backoff, random);
  const call = newCall(new TestEnvironment());
  return Array.from({ length: count }, (_, index) => series(index + 1, new Error('no'), call));
}
