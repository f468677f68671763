import { describe, expect, it } from 'vitest';
import { callOf, type Call } from '../../../../lib/kernel/call.js';
import { OnlyItems } from '../../../../lib/policies/fallback/only-items.js';
import { newCall } from '../../../support/calls.js';
import { VirtualClock } from '../../../support/virtual-clock.js';

const stream = (): Call => callOf(newCall({ clock: new VirtualClock() }));

function setUp() {
  let many = 0;
  const items = new OnlyItems(() => many++);
  return { items, told: () => many };
}

describe('the only items of streams', () => {
  it('are given once each, undefined as well', () => {
    const { items, told } = setUp();
    const [one, other] = [stream(), stream()];
    items.add(one, 'eur');
    items.add(other, undefined);

    expect(items.take(one)).toEqual({ value: 'eur' });
    expect(items.take(one)).toBeUndefined();
    expect(items.take(other)).toEqual({ value: undefined });
    expect(told()).toBe(0);
  });

  it('are none of a stream without any', () => {
    const { items } = setUp();

    expect(items.take(stream())).toBeUndefined();
  });

  it('are none of a stream with several: that is told at the second, and not again', () => {
    const { items, told } = setUp();
    const call = stream();
    items.add(call, 1);
    expect(told()).toBe(0);
    items.add(call, 2);
    expect(told()).toBe(1);
    items.add(call, 3);
    items.add(call, 4);

    expect(items.take(call)).toBeUndefined();
    expect(told()).toBe(1);
  });
});
