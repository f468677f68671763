import { describe, expect, it } from 'vitest';
import type { Given } from '../../../../lib/kernel/policy-kind.js';
import { TIMEOUT } from '../../../../lib/policies/timeout/timeout.kind.js';
import type { TimeoutOptions } from '../../../../lib/policies/timeout/timeout.options.js';
import { execute, ManualWork, newCall } from '../../../support/calls.js';
import { makingAlone } from '../../../support/making.js';
import { track } from '../../../support/settle.js';
import { TestEnvironment } from '../../../support/test-environment.js';

const LENT = { by: 'circuitBreaker', option: 'timeout', value: 10_000 };

function stepsOf(options: object | undefined, given: Partial<Given> = {}) {
  const sources = Object.fromEntries(Object.keys(options ?? {}).map((name) => [name, '@Timeout']));
  const resolved = options === undefined ? undefined : ({ options, sources } as Given['resolved']);
  return TIMEOUT.steps?.({ place: 'Client.load, @Timeout', resolved, lenient: false, lent: undefined, ...given });
}

describe('the steps of a timeout', () => {
  it('are its two limits, each with its source', () => {
    expect(stepsOf({ perAttempt: 400, total: 1_000 })).toMatchObject([
      { place: 'timeout.total', options: { total: 1_000 } },
      {
        place: 'timeout.perAttempt',
        options: { perAttempt: 400 },
        sources: { perAttempt: '@Timeout' },
        attemptLimit: 400,
        lender: undefined,
      },
    ]);
  });

  it('take the limit that a breaker lends, where it has none of its own', () => {
    const lent = {
      place: 'timeout.perAttempt',
      options: { perAttempt: 10_000 },
      sources: { perAttempt: 'circuitBreaker.timeout' },
      attemptLimit: 10_000,
      lender: 'circuitBreaker',
    };

    expect(stepsOf(undefined, { lent: LENT })).toEqual([lent]);
    expect(stepsOf({ total: 500 }, { lent: LENT })).toMatchObject([{ place: 'timeout.total' }, lent]);
  });

  it('keep a limit of its own, and `false`, against what is lent', () => {
    expect(stepsOf({ perAttempt: 50 }, { lent: LENT })).toMatchObject([{ attemptLimit: 50, lender: undefined }]);
    expect(stepsOf({ perAttempt: false }, { lent: LENT })).toEqual([]);
    expect(stepsOf(undefined, { lent: { ...LENT, value: false } })).toEqual([]);
    expect(stepsOf(undefined)).toEqual([]);
  });

  it('are none for a name without values where nothing gives them, and else a mistake', () => {
    expect(stepsOf({}, { lenient: true })).toEqual([]);
    expect(stepsOf({ total: 500 }, { lenient: true })).toMatchObject([{ place: 'timeout.total' }]);
    expect(() => stepsOf({})).toThrow('Client.load, @Timeout');
  });

  it.each([
    [{}, true],
    [{ perAttempt: 1 }, false],
    [{ total: 1 }, false],
    [{ perAttempt: 1, total: 1 }, false],
  ])('%j says nothing: %s', (options, isEmpty) => {
    expect(TIMEOUT.isEmpty?.(options)).toBe(isEmpty);
  });

  it('are described with their limits', () => {
    expect(TIMEOUT.describe?.({ perAttempt: 400, total: 1_000 })).toBe(' perAttempt 400 ms, total 1000 ms');
  });
});

/** The policy of one step, as a plan makes it. */
function make(place: 'timeout.total' | 'timeout.perAttempt', options: TimeoutOptions, lender?: string) {
  const environment = new TestEnvironment();
  const making = makingAlone(environment);
  const made = TIMEOUT.make(
    { place, name: 'loads', options: { ...options }, sources: {}, ruling: undefined, lender },
    making,
  );
  const policy = 'guard' in made ? made.guard : 'decision' in made ? made.decision : expect.fail('no such role');
  const result = track(execute(policy, newCall(environment), new ManualWork().run, { endsEarly: true }));
  return { environment, result };
}

describe('the kind of a timeout', () => {
  it('copies the options that it is given', () => {
    const options = { perAttempt: 100, total: 500 };

    expect(TIMEOUT.parse('Client.load, @Timeout', options)).toEqual(options);
    expect(TIMEOUT.parse('Client.load, @Timeout', options)).not.toBe(options);
    expect(TIMEOUT.parse('Client.load, @Timeout', 100)).toEqual({ perAttempt: 100 });
  });

  it.each([
    ['perAttempt', 'timeout.perAttempt', 100, 'loads gave no answer within 100 ms (attempt 1)'],
    ['total', 'timeout.total', 500, 'loads was not done within 500 ms in all'],
  ] as const)('makes the limit of the place: %s', async (scope, place, ms, explanation) => {
    const { environment, result } = make(place, { perAttempt: 100, total: 500 });
    await environment.clock.advance(ms - 1);
    expect(result.status).toBe('pending');
    await environment.clock.advance(1);

    expect(result.outcome).toMatchObject({ code: 'TIMEOUT', explanation, details: { limitMs: ms, scope } });
  });

  it('says whose limit it is, where a breaker has lent it', async () => {
    const { environment } = make('timeout.perAttempt', { perAttempt: 100 }, 'circuitBreaker');
    await environment.clock.advance(100);

    expect(environment.told).toMatchObject([{ type: 'timeout', name: 'loads', limitOf: 'circuitBreaker' }]);
  });
});
