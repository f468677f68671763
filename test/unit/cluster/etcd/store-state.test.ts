import { describe, expect, it } from 'vitest';
import { StoreState } from '../../../../lib/cluster/etcd/store-state.js';
import { TestEnvironment } from '../../../support/test-environment.js';

describe('whether etcd is heard of', () => {
  it('is told once for all that watch it, when the first loses it and when the last has it back', () => {
    const { events, of } = setUp();
    const state = new StoreState(events);
    const [one, other] = [{}, {}];

    state.heard(one);
    state.lost(one, new Error('14 UNAVAILABLE'));
    state.lost(other, new Error('again'));
    state.lost(one, new Error('and again'));
    state.heard(one);
    const between = of().length;
    state.heard(other);

    expect(between).toBe(1);
    expect(of()).toMatchObject([
      { name: 'etcd', store: 'etcd', up: false, reason: 'Error: 14 UNAVAILABLE' },
      { name: 'etcd', store: 'etcd', up: true, reason: 'it answers again' },
    ]);
  });
});

function setUp() {
  const environment = new TestEnvironment();
  return { events: environment.events, of: () => environment.of('store') };
}
