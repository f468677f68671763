import { describe, expect, it } from 'vitest';
import {
  parseRateLimit,
  RATE_LIMIT_DEFAULTS,
  resolveRateLimit,
  type RateLimitOptions,
} from '../../../../lib/policies/rate-limit/rate-limit.options.js';

const PLACE = 'Client.load, @RateLimit';
const parse = (setting: unknown) => parseRateLimit(PLACE, setting);
const resolve = (options: RateLimitOptions) => resolveRateLimit(PLACE, { ...RATE_LIMIT_DEFAULTS, ...options });
const WHOLE = { limit: 10, per: 1_000 };

describe('parseRateLimit', () => {
  it('takes every option', () => {
    const options = {
      limit: 0.5,
      per: 60_000,
      burst: 20,
      onLimit: 'queue',
      maxWait: 500,
      warmUp: { over: 10_000, coldFactor: 2 },
      key: () => 'key',
      maxKeys: 1,
      overrides: { vip: 100, free: { limit: 1, per: 10, burst: 2 }, blocked: 0 },
      cost: () => 1,
    };

    expect(parse(options)).toBe(options);
    expect(parse({ warmUp: { over: 1 } })).toEqual({ warmUp: { over: 1 } });
  });

  it.each([
    ['limit', [0, -1, NaN, Infinity, '5', null, false]],
    ['per', [0, -1, NaN, Infinity, '1s', null, 2 ** 31]],
    ['burst', [0, -1, NaN, Infinity, '5']],
    ['onLimit', ['wait', true, null]],
    ['maxWait', [0, -1, NaN, Infinity, '5', false]],
    ['warmUp', [true, 10, {}, { over: 0 }, { over: 10, coldFactor: 1 }]],
    ['key', ['id', {}]],
    ['maxKeys', [0, 1.5, Infinity]],
    ['overrides', [[], 'vip', 3]],
    ['cost', [1, 'tokens']],
  ])('refuses a wrong %s', (option, values) => {
    for (const value of values) {
      expect(() => parse({ [option]: value })).toThrow(`${PLACE}: option '${option}': expected `);
    }
  });

  it('refuses an unknown field of a cold start', () => {
    expect(() => parse({ warmUp: { over: 10, factor: 3 } })).toThrow(
      `${PLACE}: option 'warmUp': unknown option 'factor' (got 3); expected one of: over, coldFactor`,
    );
  });

  it.each([
    [{ vip: -1 }, "key 'vip': expected a number from 0, or { limit, per?, burst? }, got -1"],
    [{ vip: 'all' }, "key 'vip': expected a number from 0, or { limit, per?, burst? }, got 'all'"],
    [{ vip: {} }, "key 'vip': expected a number from 0, or { limit, per?, burst? }, got {}"],
    [
      { bad: { limit: 0, burst: 5 } },
      "key 'bad': option 'burst': expected none beside limit: 0, which refuses the key for good, got 5",
    ],
    [{ vip: { limit: 1, per: 0 } }, "key 'vip': option 'per': expected a number of milliseconds above 0"],
    [{ vip: { limit: 1, key: 'x' } }, "key 'vip': unknown option 'key' (got 'x'); expected one of: limit, per, burst"],
  ])('refuses wrong overrides %j', (overrides, message) => {
    expect(() => parse({ overrides })).toThrow(`${PLACE}, option 'overrides', ${message}`);
  });

  it.each([[5], ['5'], [true], [null], [[]]])('refuses %j in place of options', (setting) => {
    expect(() => parse(setting)).toThrow(`${PLACE}: expected an options object, got `);
  });

  it('refuses an unknown option', () => {
    expect(() => parse({ ...WHOLE, colour: 5 })).toThrow(/unknown option 'colour' \(got 5\); expected one of: limit/);
  });
});

describe('resolveRateLimit', () => {
  it('lets as much begin at once as in a whole period, unless burst says otherwise', () => {
    expect(resolve(WHOLE)).toEqual({ ...WHOLE, burst: 10, onLimit: 'reject', maxKeys: 100_000, mode: 'normal' });
    expect(resolve({ ...WHOLE, burst: 3 }).burst).toBe(3);
  });

  it('spaces queued calls evenly, unless burst says otherwise', () => {
    expect(resolve({ ...WHOLE, onLimit: 'queue' })).toEqual({
      ...WHOLE,
      onLimit: 'queue',
      maxKeys: 100_000,
      mode: 'normal',
    });
    expect(resolve({ ...WHOLE, onLimit: 'queue', burst: 3 }).burst).toBe(3);
  });

  it.each([
    [{}, 'limit'],
    [{ per: 1_000 }, 'limit'],
    [{ limit: 10 }, 'per'],
  ])('has no value of its own for %j', (options, missing) => {
    expect(() => resolve(options)).toThrow(`${PLACE}: a rate limit has no built-in value: expected '${missing}' here`);
  });

  it('refuses options that do nothing', () => {
    expect(() => resolve({ ...WHOLE, overrides: { vip: 1 } })).toThrow(`${PLACE}: option 'overrides': expected 'key'`);
    expect(() => resolve({ ...WHOLE, maxWait: 1 })).toThrow(`${PLACE}: option 'maxWait': expected onLimit: 'queue'`);
  });

  it('refuses a limit that no call fits in', () => {
    expect(() => resolve({ limit: 0.5, per: 1 })).toThrow(`option 'limit': expected at least 1, since a call costs 1`);
    expect(() => resolve({ ...WHOLE, burst: 0.5 })).toThrow(`option 'burst': expected at least 1`);
    expect(resolve({ limit: 0.5, per: 1, burst: 1 }).burst).toBe(1);
    expect(resolve({ limit: 0.5, per: 1, cost: () => 0.1 }).burst).toBe(0.5);
  });

  it.each([
    [{ k: 0.5 }, "option 'limit': expected at least 1, since a call costs 1, got 0.5"],
    [{ k: { limit: 5, burst: 0.5 } }, "option 'burst': expected at least 1, since a call costs 1, got 0.5"],
    [{ k: 5e-324 }, "option 'limit': expected at least 1"],
  ])('refuses a limit of a key that no call fits in, %j', (overrides, message) => {
    const place = `${PLACE}, option 'overrides', key 'k': `;
    expect(() => resolve({ ...WHOLE, key: String, overrides })).toThrow(place + message);
  });

  it('takes a limit of a key that refuses all, or less than a call where calls have costs of their own', () => {
    expect(() => resolve({ ...WHOLE, key: String, overrides: { a: 0, b: { limit: 0, per: 10 } } })).not.toThrow();
    expect(() => resolve({ ...WHOLE, key: String, cost: () => 0.1, overrides: { a: 0.5 } })).not.toThrow();
  });

  it('refuses limits whose times are no numbers', () => {
    const message = "options 'limit' and 'per': expected a time for each unit that is a number";
    expect(() => resolve({ limit: 5e-324, per: 1_000, burst: 1 })).toThrow(message);
    expect(() => resolve({ limit: 1e-300, per: 1_000, burst: 1e300 })).toThrow(message);
    expect(() => resolve({ limit: 1e308, per: 5e-324 })).toThrow(message);
    expect(() => resolve({ ...WHOLE, key: String, overrides: { k: { limit: 5e-324, burst: 1 } } })).toThrow(message);
  });
});
