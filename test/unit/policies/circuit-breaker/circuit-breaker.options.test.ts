import { describe, expect, it } from 'vitest';
import {
  CIRCUIT_BREAKER_DEFAULTS,
  parseCircuitBreaker,
  type CircuitBreakerOptions,
} from '../../../../lib/policies/circuit-breaker/circuit-breaker.options.js';
import { consecutiveFailures } from '../../../../lib/policies/circuit-breaker/trip/consecutive-failures.js';
import { exponential } from '../../../../lib/kernel/backoff/exponential.js';

const PLACE = 'Client.load, @CircuitBreaker';
const parse = (setting: unknown) => parseCircuitBreaker(PLACE, setting);

describe('parseCircuitBreaker', () => {
  it('takes true for the defaults', () => {
    expect(parse(true)).toEqual({});
  });

  it('takes every option', () => {
    const options: Required<CircuitBreakerOptions> = {
      timeout: false,
      errorThresholdPercentage: 0,
      volumeThreshold: 0,
      rollingCountTimeout: 1,
      rollingCountBuckets: 1,
      rollingPercentilesEnabled: false,
      resetTimeout: 0,
      resetJitter: 0,
      allowWarmUp: true,
      errorFilter: () => false,
      answerOn: [TypeError, () => false],
      isFailure: () => false,
      group: 'g',
      enabled: false,
      trip: consecutiveFailures(3),
      halfOpenCalls: 1,
      halfOpenErrorThresholdPercentage: 0,
      halfOpenMaxWait: 1,
      recovery: { over: 1, from: 0 },
      key: () => 'k',
      maxKeys: 1,
      scope: 'instance',
      mode: 'metricsOnly',
    };

    expect(parse(options)).toBe(options);
    expect(
      parse({ resetTimeout: exponential({ initial: 1_000 }), trip: { name: 'own', shouldTrip: () => false } }),
    ).toBeTruthy();
  });

  it.each<[keyof CircuitBreakerOptions, unknown[]]>([
    ['timeout', [0, -1, NaN, Infinity, '5', true]],
    ['errorThresholdPercentage', [-1, 101, NaN, Infinity, '50']],
    ['volumeThreshold', [-1, 1.5, NaN, Infinity, '5']],
    ['rollingCountTimeout', [0, -1, NaN, Infinity, '5']],
    ['rollingCountBuckets', [0, -1, 1.5, NaN, Infinity, '5']],
    ['rollingPercentilesEnabled', [0, 'no']],
    ['resetTimeout', [-1, NaN, Infinity, '5', {}]],
    ['resetJitter', [-0.1, 1.1, NaN, Infinity, '0']],
    ['allowWarmUp', [1]],
    ['errorFilter', [true, Error.prototype]],
    ['answerOn', ['Error', null, [Error, 5], async () => true]],
    ['isFailure', [true]],
    ['group', ['', 5]],
    ['enabled', ['yes']],
    ['trip', ['failureRate', () => true, { shouldTrip: () => true }, { name: 'own' }]],
    ['halfOpenCalls', [0, -1, 1.5, NaN, Infinity, '5']],
    ['halfOpenErrorThresholdPercentage', [-1, 101, NaN, Infinity, '50']],
    ['halfOpenMaxWait', [0, -1, NaN, Infinity, '5']],
    ['recovery', [5, {}, { over: 1 }, { over: 0, from: 0 }, { over: 1, from: 2 }]],
    ['key', ['id']],
    ['maxKeys', [0, -1, 1.5, NaN, Infinity, '5']],
    ['mode', ['off', true]],
  ])('refuses a wrong %s', (option, values) => {
    for (const value of values) {
      expect(() => parse({ [option]: value })).toThrow(`${PLACE}: option '${option}': expected `);
    }
  });

  it('refuses an unknown option, also those of opossum that have no meaning here', () => {
    expect(() => parse({ colour: 5 })).toThrow(`${PLACE}: unknown option 'colour' (got 5); expected one of: timeout`);
    expect(() => parse({ capacity: 5 })).toThrow(`${PLACE}: unknown option 'capacity'`);
    expect(() => parse({ recovery: { over: 1, from: 0, to: 1 } })).toThrow(
      `${PLACE}: option 'recovery': unknown option 'to' (got 1); expected one of: over, from`,
    );
  });

  it('has the defaults of the contract', () => {
    expect(CIRCUIT_BREAKER_DEFAULTS).toMatchObject({
      timeout: 10_000,
      errorThresholdPercentage: 50,
      volumeThreshold: 10,
      rollingCountTimeout: 10_000,
      rollingCountBuckets: 10,
      resetTimeout: 30_000,
      halfOpenCalls: 1,
      halfOpenErrorThresholdPercentage: 0,
      halfOpenMaxWait: 30_000,
      resetJitter: 0.1,
      maxKeys: 1_000,
      mode: 'normal',
      trip: { name: 'failureRate' },
    });
  });
});
