import { describe, expect, it } from 'vitest';
import { adaptive } from '../../../../lib/kernel/adaptive-limit/adaptive.options.js';
import { parseSystemProtection } from '../../../../lib/policies/system-protection/system-protection.options.js';

const PLACE = 'forRoot, systemProtection';
const parse = (setting: unknown) => parseSystemProtection(PLACE, setting);

const HEALTH_PATHS = ['/health', '/healthz', '/live', '/livez', '/ready', '/readyz'];
const DEFAULTS = {
  concurrency: adaptive({ tolerance: 1.25 }),
  eventLoopDelay: 50,
  rate: false,
  exemptPaths: HEALTH_PATHS,
  exemptUnderPrefix: true,
  exempt: undefined,
  priority: undefined,
  retryAfter: 1_000,
};

describe('parseSystemProtection', () => {
  it.each([undefined, false])('protects nothing where it is %s', (setting) => {
    expect(parse(setting)).toBeUndefined();
  });

  it.each([true, {}])('has defaults for all that %j leaves open', (setting) => {
    expect(parse(setting)).toEqual(DEFAULTS);
  });

  it('takes every option', () => {
    const priority = () => 1;
    const options = {
      concurrency: 20,
      eventLoopDelay: 80,
      rate: 0.5,
      exempt: ['/metrics'],
      priority,
      retryAfter: 5_000,
    };

    expect(parse(options)).toEqual({
      concurrency: 20,
      eventLoopDelay: 80,
      rate: 0.5,
      exemptPaths: ['/metrics'],
      exemptUnderPrefix: false,
      exempt: undefined,
      priority,
      retryAfter: 5_000,
    });
  });

  it('can be without any of its limits', () => {
    expect(parse({ concurrency: false, eventLoopDelay: false, rate: false })).toEqual({
      ...DEFAULTS,
      concurrency: false,
      eventLoopDelay: false,
    });
  });

  it('asks a function beside the paths that are always exempt', () => {
    const exempt = () => true;

    expect(parse({ exempt })).toEqual({ ...DEFAULTS, exempt });
  });

  it('takes no path to be exempt where the list is empty', () => {
    expect(parse({ exempt: [] })).toEqual({ ...DEFAULTS, exemptPaths: [], exemptUnderPrefix: false });
  });

  it('takes an adaptive limit as code and as data', () => {
    const concurrency = adaptive({ max: 50 });

    expect(parse({ concurrency })?.concurrency).toBe(concurrency);
    expect(parse({ rate: 5, concurrency: { adaptive: { max: 50 } } })).toEqual({ ...DEFAULTS, rate: 5, concurrency });
    expect(() => parse({ concurrency: { adaptive: { max: 0 } } })).toThrow(`${PLACE}.concurrency`);
  });

  it.each([
    ['concurrency', [0, 1.5, 'many', true, {}]],
    ['eventLoopDelay', [0, -1, true, '50']],
    ['rate', [0, -1, Infinity, '5', true]],
    ['exempt', ['/health', ['health'], ['/health', 5], [undefined], 5]],
    ['priority', [1, 'high']],
    ['retryAfter', [0, -1, false]],
  ])('refuses a wrong %s', (option, values) => {
    for (const value of values) {
      expect(() => parse({ [option]: value })).toThrow(`${PLACE}: option '${option}': expected `);
    }
  });

  it('refuses an unknown option, and what is no object of options', () => {
    expect(() => parse({ limit: 5 })).toThrow("unknown option 'limit'");
    for (const setting of [5, 'on', null, []]) {
      expect(() => parse(setting)).toThrow(`${PLACE}: expected an options object, got `);
    }
  });
});
