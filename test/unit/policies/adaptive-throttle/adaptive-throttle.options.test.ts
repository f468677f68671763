import { describe, expect, it } from 'vitest';
import {
  parseAdaptiveThrottle,
  type AdaptiveThrottleOptions,
} from '../../../../lib/policies/adaptive-throttle/adaptive-throttle.options.js';

const parse = (setting: unknown) => parseAdaptiveThrottle('Client.load, @AdaptiveThrottle', setting);

describe('parseAdaptiveThrottle', () => {
  it('takes every option, up to its bounds', () => {
    const least: Required<AdaptiveThrottleOptions> = {
      factor: 1,
      window: 1,
      volumeThreshold: 1,
      maxRefusedPercentage: 0,
      scope: 'class',
      mode: 'normal',
    };

    expect(parse(least)).toBe(least);
    expect(parse({ factor: 1_000, volumeThreshold: 1_000_000, maxRefusedPercentage: 100 })).toBeTruthy();
    expect(parse({ factor: 1.1, maxRefusedPercentage: 12.5, mode: 'metricsOnly', scope: 'instance' })).toBeTruthy();
  });

  it.each<[keyof AdaptiveThrottleOptions, unknown[]]>([
    ['factor', [0.9, 0, -1, 1_001, NaN, Infinity, '2']],
    ['window', [0, -1, NaN, Infinity, '1s']],
    ['volumeThreshold', [0, 1.5, 1_000_001, '10']],
    ['maxRefusedPercentage', [-1, 101, NaN, '90']],
    ['scope', ['app', true]],
    ['mode', ['shadow', false]],
  ])('refuses a wrong %s', (option, values) => {
    for (const value of values)
      expect(() => parse({ [option]: value })).toThrow(`Client.load, @AdaptiveThrottle: option '${option}': expected `);
  });
});
