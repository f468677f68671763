import { describe, expect, it } from 'vitest';
import { ResilienceConfigurationError } from '../../../../../lib/errors/configuration.error.js';
import { makeFrom } from '../../../../../lib/kernel/options/data-forms.js';
import { recipeOf } from '../../../../../lib/kernel/options/recipe.js';
import { anyOf } from '../../../../../lib/policies/circuit-breaker/trip/any-of.js';
import { consecutiveFailures } from '../../../../../lib/policies/circuit-breaker/trip/consecutive-failures.js';
import { countWindow } from '../../../../../lib/policies/circuit-breaker/trip/count-window.js';
import { failureCount } from '../../../../../lib/policies/circuit-breaker/trip/failure-count.js';
import { failureRate } from '../../../../../lib/policies/circuit-breaker/trip/failure-rate.js';
import { slowCallRate } from '../../../../../lib/policies/circuit-breaker/trip/slow-call-rate.js';
import { TRIP_FORMS } from '../../../../../lib/policies/circuit-breaker/trip/trip-forms.js';
import type { TripRule } from '../../../../../lib/policies/circuit-breaker/trip/trip-rule.js';
import {
  seconds,
  tripStrategy,
  type TripStrategy,
} from '../../../../../lib/policies/circuit-breaker/trip/trip-strategy.js';

const PLACE = 'policies.payments.circuitBreaker.trip';
const make = (data: unknown) => makeFrom(PLACE, data, TRIP_FORMS) as TripStrategy;

describe('a trip strategy as data', () => {
  it.each<[TripRule, TripStrategy]>([
    [{ failureRate: {} }, failureRate()],
    [{ failureCount: 3 }, failureCount(3)],
    [{ consecutiveFailures: 4 }, consecutiveFailures(4)],
    [{ countWindow: { size: 8, percentage: 25 } }, countWindow({ size: 8, percentage: 25 })],
    [{ countWindow: { size: 8, percentage: 25, minimum: 8 } }, countWindow({ size: 8, percentage: 25 })],
    [{ countWindow: { size: 8, percentage: 25, minimum: 2 } }, countWindow({ size: 8, percentage: 25, minimum: 2 })],
    [{ slowCallRate: { slowerThan: 80, percentage: 25 } }, slowCallRate({ slowerThan: 80, percentage: 25 })],
  ])('%j is what code makes of it', (data, strategy) => {
    const made = make(data);

    expect(made.name).toBe(strategy.name);
    expect(recipeOf(made)).toEqual(recipeOf(strategy));
    expect(tripStrategy.accepts(made)).toBe(true);
  });

  it('may be several, each in its own form', () => {
    const made = make({ anyOf: [{ failureCount: 3 }, { anyOf: [{ failureRate: {} }] }] });

    expect(made.name).toBe(anyOf(failureCount(3), anyOf(failureRate())).name);
    expect((recipeOf(made)?.options as TripStrategy[]).map((one) => recipeOf(one)?.kind)).toEqual([
      'failureCount',
      'anyOf',
    ]);
  });

  it.each<[unknown, string]>([
    [{ failureRate: { size: 3 } }, `${PLACE}.failureRate: unknown option 'size' (got 3)`],
    [{ failureRate: true }, `${PLACE}.failureRate: expected an options object, got true`],
    [{ failureCount: 0 }, 'trip strategy failureCount(): limit: expected'],
    [{ countWindow: 5 }, `${PLACE}.countWindow: expected an options object, got 5`],
    [{ anyOf: { failureCount: 3 } }, `${PLACE}.anyOf: expected a list of trip strategies, got {"failureCount":3}`],
    [{ anyOf: [] }, 'trip strategy anyOf(): expected at least one strategy, got none'],
    [{ anyOf: [{ failureCount: 3 }, 'failureRate'] }, `${PLACE}.anyOf.1: expected an object with one key`],
    [{ failure: 3 }, `${PLACE}: expected an object with one key, which is one of: failureRate, failureCount,`],
  ])('is refused at its place: %j', (data, text) => {
    expect(() => make(data)).toThrow(ResilienceConfigurationError);
    expect(() => make(data)).toThrow(text);
  });
});

describe('what two breakers of one name may say of their strategy', () => {
  it('is the same, when a function of ours made it of the same values', () => {
    expect(recipeOf(countWindow({ size: 8, percentage: 25 }))).toEqual({
      kind: 'countWindow',
      options: { size: 8, percentage: 25 },
    });
    expect(recipeOf(countWindow({ size: 8, percentage: 25, minimum: 2 }))?.options).toEqual({
      size: 8,
      percentage: 25,
      minimum: 2,
    });
    expect(recipeOf(slowCallRate({ slowerThan: 80, percentage: 25 }))?.options).toEqual({
      slowerThan: 80,
      percentage: 25,
    });
    expect(recipeOf(failureCount(3))?.options).toBe(3);
    expect(recipeOf({ name: 'own', shouldTrip: () => false })).toBeUndefined();
  });
});

describe('a trip strategy', () => {
  it.each<[unknown, boolean]>([
    [{ name: 'own', shouldTrip: () => false }, true],
    [{ name: 'own', shouldTrip: () => false, track: () => undefined }, true],
    [{ name: 'own', shouldTrip: () => false, track: 5 }, false],
    [{ name: '', shouldTrip: () => false }, false],
    [{ name: 'own', shouldTrip: async () => false }, false],
    [{ name: 'own' }, false],
    [() => false, false],
    [undefined, false],
  ])('%o can be one: %s', (value, accepted) => {
    expect(tripStrategy.accepts(value)).toBe(accepted);
  });

  it('tells a time in seconds with a tenth at most', () => {
    expect([10_000, 12_340, 12_350, 40, 0].map(seconds)).toEqual(['10 s', '12.3 s', '12.4 s', '0 s', '0 s']);
  });
});
