import { describe, expect, it } from 'vitest';
import { parseTimeout, resolveTimeout } from '../../../../lib/policies/timeout/timeout.options.js';
import { thrownBy } from '../../../support/settle.js';

const parse = (setting: unknown) => parseTimeout('Client.load, @Timeout', setting);

describe('parseTimeout', () => {
  it('takes a number as the limit of each attempt', () => {
    expect(parse(500)).toEqual({ perAttempt: 500 });
  });

  it('takes both limits, and false for none', () => {
    expect(parse({ perAttempt: 100, total: 1_000 })).toEqual({ perAttempt: 100, total: 1_000 });
    expect(parse({ perAttempt: false, total: false })).toEqual({ perAttempt: false, total: false });
  });

  it.each([0, -1, NaN, Infinity, 2 ** 31, '500', null, true, undefined, []])('refuses %s', (setting) => {
    expect(() => parse(setting)).toThrow(/^Client\.load, @Timeout: .*expected .*, got /);
    if (setting !== undefined) {
      expect(() => parse({ perAttempt: setting })).toThrow(/option 'perAttempt': expected false, or a number of mill/);
      expect(() => parse({ total: setting })).toThrow(/option 'total': expected false, or a number of milliseconds/);
    }
  });

  it('refuses an unknown option', () => {
    expect(() => parse({ attempt: 5 })).toThrow(
      /unknown option 'attempt' \(got 5\); expected one of: perAttempt, total/,
    );
  });
});

describe('resolveTimeout', () => {
  it('needs a limit', () => {
    const { message } = thrownBy(() => resolveTimeout('Client.load, @Timeout', {}));

    expect(message).toMatch(/^Client\.load, @Timeout: .*no built-in value.*expected milliseconds/);
  });

  it('takes any limit, also none at all on purpose', () => {
    for (const options of [{ perAttempt: 1 }, { total: 1 }, { perAttempt: false as const }]) {
      expect(resolveTimeout('here', options)).toBe(options);
    }
  });
});
