import { describe, expect, it } from 'vitest';
import { checkCluster, clusterBurst } from '../../../../../lib/policies/rate-limit/cluster/cluster-options.js';

describe('the options of a limit of a cluster', () => {
  it.each([
    [{ scope: 'cluster' }],
    [{ scope: 'cluster', onStoreError: 'open' }],
    [{ scope: 'class', warmUp: { over: 10 } }],
    [{}],
  ])('may be %j', (options) => {
    expect(() => checkCluster('place', options)).not.toThrow();
  });

  it('are no cold start', () => {
    expect(() => checkCluster('place', { scope: 'cluster', warmUp: { over: 10 } })).toThrow(
      "place: option 'warmUp': expected none beside scope: 'cluster', got {",
    );
  });

  it.each([
    [{ onStoreError: 'open' }, 'undefined'],
    [{ scope: 'class', onStoreError: 'open' }, "'class'"],
  ])('are no options of another limit: %j', (options, scope) => {
    expect(() => checkCluster('place', options)).toThrow(
      `place: option 'onStoreError': expected scope: 'cluster' beside it, got scope: ${scope}`,
    );
  });

  it('let a tenth begin at once; of a small limit more, unless calls may wait', () => {
    expect([3, 10, 50, 100, 1_000].map((limit) => clusterBurst(limit, 'reject'))).toEqual([3, 10, 10, 10, 100]);
    expect([3, 10, 50, 100, 1_000].map((limit) => clusterBurst(limit, 'queue'))).toEqual([1, 1, 5, 10, 100]);
    expect(clusterBurst(0.5, undefined)).toBe(0.5);
  });
});
