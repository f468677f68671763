import { describe, expect, it } from 'vitest';
import { fixed } from '../../../../lib/kernel/backoff/fixed.js';
import { parseRetry, RETRY_DEFAULTS, type RetryOptions } from '../../../../lib/policies/retry/retry.options.js';

const parse = (setting: unknown) => parseRetry('Client.load, @Retry', setting);

describe('parseRetry', () => {
  it('takes a number as the number of calls in all', () => {
    expect(parse(5)).toEqual({ maxAttempts: 5 });
  });

  it('takes every option', () => {
    const options: Required<RetryOptions> = {
      maxAttempts: 1,
      backoff: fixed(10),
      retryOn: [TypeError],
      abortOn: RangeError,
      answerOn: [SyntaxError, () => false],
      retryOnResult: (result) => result === null,
      maxDuration: 1,
      maxRetryAfter: 0,
      methods: ['GET', 'M-SEARCH'],
      budget: { ratio: 0.1, perSecond: 0, min: 0 },
    };

    expect(parse(options)).toBe(options);
    expect(parse({ backoff: () => 5 })).toBeTruthy();
  });

  it.each([0, -1, 1.5, NaN, Infinity, '3', undefined, true])('refuses %s attempts', (maxAttempts) => {
    expect(() => parse(maxAttempts)).toThrow(/^Client\.load, @Retry: maxAttempts: expected a whole number .*, got /);
  });

  it.each<[keyof RetryOptions, unknown[]]>([
    ['maxAttempts', [0, -1, 2.5, NaN, Infinity, '3']],
    ['backoff', [100, 'exponential', null, {}]],
    ['retryOn', ['Error', null, [Error, 5]]],
    ['abortOn', ['Error', {}]],
    ['answerOn', ['Error', {}, async () => true]],
    ['retryOnResult', [true, 'no']],
    ['maxDuration', [0, -1, NaN, Infinity, '1s']],
    ['maxRetryAfter', [-1, NaN, Infinity, '1s']],
    ['methods', ['GET', ['get'], [1], ['GET', 'put'], ['xGET'], ['GETx'], [['GET']]]],
    ['budget', [true, 5, null, 'none']],
  ])('refuses a wrong %s', (option, values) => {
    for (const value of values) {
      expect(() => parse({ [option]: value })).toThrow(`Client.load, @Retry: option '${option}': expected `);
    }
  });

  it('refuses an unknown option', () => {
    expect(() => parse({ trys: 3 })).toThrow(/unknown option 'trys' \(got 3\); expected one of: maxAttempts/);
  });

  it('has the defaults of the contract', () => {
    expect(RETRY_DEFAULTS).toMatchObject({
      maxAttempts: 3,
      maxRetryAfter: 60_000,
      methods: ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'],
    });
  });
});
