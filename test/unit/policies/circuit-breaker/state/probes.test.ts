import { describe, expect, it } from 'vitest';
import { CIRCUIT_BREAKER_DEFAULTS } from '../../../../../lib/policies/circuit-breaker/circuit-breaker.options.js';
import { Probes } from '../../../../../lib/policies/circuit-breaker/state/probes.js';

const OPTIONS = { ...CIRCUIT_BREAKER_DEFAULTS, halfOpenCalls: 2, halfOpenMaxWait: 500 };

function admitted(...moments: number[]): Probes {
  const probes = new Probes();
  for (const now of moments) expect(probes.admit(now, OPTIONS)).toBe(true);
  return probes;
}

describe('the probes of a half-open breaker', () => {
  it('are as many as it takes, those included that are judged', () => {
    const probes = admitted(10, 20);
    expect([probes.admit(30, OPTIONS), probes.running]).toEqual([false, 2]);
    probes.succeeded(10);
    expect([probes.admit(30, OPTIONS), probes.running]).toEqual([false, 1]);
    probes.end(20);

    expect([probes.admit(30, OPTIONS), probes.running]).toEqual([true, 1]);
  });

  it('find room for one more for each level at which they lie in one another', () => {
    const probes = admitted(10, 20);
    probes.nest();
    expect([probes.admit(30, OPTIONS), probes.admit(30, OPTIONS)]).toEqual([true, false]);
    probes.restart();

    expect([1, 2, 3, 4].map((now) => probes.admit(now, OPTIONS))).toEqual([true, true, true, false]);
  });

  it('hand back only what they took', () => {
    const probes = admitted(10, 20);
    probes.end(15);
    expect(probes.running).toBe(2);
    probes.end(10);
    probes.end(10);

    expect(probes.running).toBe(1);
  });

  it('hang when the oldest does', () => {
    const probes = admitted(20, 10);
    expect(probes.hungAt(OPTIONS)).toBe(510);
    probes.end(10);
    expect(probes.hungAt(OPTIONS)).toBe(520);
    probes.end(20);

    expect(probes.hungAt(OPTIONS)).toBe(Infinity);
  });

  it('have a result once all are judged', () => {
    const probes = admitted(10, 20);
    probes.succeeded(10);
    expect(probes.result(OPTIONS)).toBeUndefined();
    probes.failed(20);

    expect(probes.result(OPTIONS)).toBe('1 of 2 probes succeeded');
    probes.restart();
    expect([probes.result(OPTIONS), probes.running]).toEqual([undefined, 0]);
  });

  it.each([
    [0, 'boom'],
    [49, '1 of 2 probes failed, limit 49 %: boom'],
    [50, undefined],
  ])('have failed too often at a limit of %i %%: %s', (limit, reason) => {
    const probes = admitted(10);
    const options = { ...OPTIONS, halfOpenErrorThresholdPercentage: limit };
    expect(probes.whyTooManyFailed('boom', options)).toBeUndefined();
    probes.failed(10);

    expect(probes.whyTooManyFailed('boom', options)).toBe(reason);
    probes.restart();
    expect(probes.whyTooManyFailed('boom', options)).toBeUndefined();
  });
});
