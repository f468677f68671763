import { describe, expect, it } from 'vitest';
import { linear } from '../../../../../lib/kernel/backoff/linear.js';
import {
  CIRCUIT_BREAKER_DEFAULTS,
  type CircuitBreakerOptions,
} from '../../../../../lib/policies/circuit-breaker/circuit-breaker.options.js';
import { OpenTimes } from '../../../../../lib/policies/circuit-breaker/state/open-times.js';
import { TestEnvironment } from '../../../../support/test-environment.js';

function setUp(options: CircuitBreakerOptions) {
  const environment = new TestEnvironment();
  environment.chances = [0];
  const breaker = { place: 'payments', environment, options: { ...CIRCUIT_BREAKER_DEFAULTS, ...options } };
  return { times: new OpenTimes(breaker), environment, breaker };
}

describe('how long a breaker stays open', () => {
  it('is the same however often it is read, and by chance another for each opening', () => {
    const { times, environment } = setUp({ resetTimeout: 1_000, resetJitter: 0.2 });
    environment.chances = [0.5, 1, 0];

    expect([times.of(1), times.of(1), times.of(2), times.of(2)]).toEqual([1_100, 1_100, 1_200, 1_200]);
    times.replan();
    expect(times.of(2)).toBe(1_000);
    expect(times.withoutJitter(2)).toBe(1_000);
  });

  it('is that of a backoff, whose series begins once', () => {
    let begun = 0;
    const resetTimeout = {
      kind: 'own',
      series: (random: () => number) => (begun++, (opening: number) => opening * 100 + random()),
    };
    const { times } = setUp({ resetTimeout, resetJitter: 0 });

    expect([times.of(1), times.of(2), times.of(3), begun]).toEqual([100, 200, 300, 1]);
    expect(setUp({ resetTimeout: linear({ initial: 100, step: 50 }), resetJitter: 0 }).times.of(3)).toBe(200);
  });

  it('is that of a function', () => {
    expect(setUp({ resetTimeout: (opening) => opening * 10, resetJitter: 0 }).times.of(4)).toBe(40);
  });

  it('follows other options', () => {
    const { times, breaker } = setUp({ resetTimeout: (opening) => opening * 10, resetJitter: 0 });
    expect(times.of(4)).toBe(40);
    breaker.options = { ...breaker.options, resetTimeout: (opening) => opening };
    times.replan();

    expect(times.of(4)).toBe(4);
  });

  it.each<[string, CircuitBreakerOptions['resetTimeout'], string]>([
    ['NaN', () => NaN, 'expected a finite number of ms from 0, got NaN'],
    ['less than 0', () => -1, 'expected a finite number of ms from 0, got -1'],
    [
      'an error',
      () => {
        throw new Error('mine');
      },
      'mine',
    ],
    ['no series', { kind: 'own', series: () => 5 as never }, 'expected a function, got 5'],
    [
      'an error for a series',
      {
        kind: 'own',
        series: () => {
          throw new Error('mine');
        },
      },
      'mine',
    ],
  ])('is the default, and that is reported, where a function gives %s', (_what, resetTimeout, text) => {
    const { times, environment } = setUp({ resetTimeout, resetJitter: 0 });

    expect(times.of(1)).toBe(30_000);
    expect(environment.reports).toMatchObject([{ place: 'payments, resetTimeout', error: { message: text } }]);
  });
});
