import type { PlannedPolicy } from '../../pipeline/plan-init.js';
import { isPlainObject } from '../../kernel/options/check.js';
import { policyOf } from './limits.js';

/** How often a call is made in all, by its retry alone; 1: never again. */
export function attemptsOf(policies: readonly PlannedPolicy[]): number {
  const attempts = policyOf(policies, 'retry')?.options.maxAttempts;
  return typeof attempts === 'number' ? attempts : 1;
}

/** A pause as a backoff of ours makes it. */
interface Pauses {
  /** The least that the pause after an attempt can be, ms; attempts count from 1. */
  least(attempt: number): number;
  /** Whether it is the same for everybody. */
  readonly inStep: boolean;
}

const NUMBER = (value: unknown): number => (typeof value === 'number' ? value : 0);

/** What is known of a backoff as `plan()` shows it; of a function nothing is. */
export function pausesOf(backoff: unknown): Pauses | undefined {
  if (!isPlainObject(backoff)) return undefined;
  const [initial, max] = [NUMBER(backoff.initial), NUMBER(backoff.max)];
  switch (backoff.kind) {
    case 'fixed':
      return { least: () => NUMBER(backoff.ms), inStep: NUMBER(backoff.ms) > 0 };
    case 'linear': {
      const step = NUMBER(backoff.step);
      return {
        least: (attempt) => Math.min(max, initial + step * (attempt - 1)),
        inStep: max > 0 && initial + step > 0,
      };
    }
    case 'fibonacci':
      // Each is at least as long as the first.
      return { least: () => Math.min(max, initial), inStep: initial > 0 };
    case 'exponential': {
      const whole = (attempt: number): number =>
        initial === 0 ? 0 : Math.min(max, initial * NUMBER(backoff.factor) ** (attempt - 1));
      const share = backoff.jitter === 'none' ? 1 : backoff.jitter === 'equal' ? 0.5 : 0;
      return { least: (attempt) => whole(attempt) * share, inStep: backoff.jitter === 'none' && initial > 0 };
    }
    case 'decorrelatedJitter':
      return { least: () => initial, inStep: false };
    default:
      return undefined;
  }
}
