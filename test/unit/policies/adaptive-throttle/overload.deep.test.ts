import { describe, expect, it } from 'vitest';
import { overload, refusalsOfHealthy } from './overload.scene.js';

const SCENE = { seconds: 300, capacity: 200, offered: 300 };

describe('a dependency that gets half as much again as it can do', () => {
  it('does all that it can, in every second, where refusing is cheap', async () => {
    const { goodput, worst, refusedHere } = await overload({ ...SCENE, refusalCost: 0.01 }, { factor: 1.1 });

    expect(goodput).toBeGreaterThanOrEqual(0.95);
    expect(worst).toBeGreaterThan(0.75);
    expect(refusedHere).toBeGreaterThan(0);
  });

  it('does most of it where refusing costs half as much as answering, and half of it unthrottled', async () => {
    const throttled = await overload({ ...SCENE, refusalCost: 0.5 }, { factor: 1.1 });
    const alone = await overload({ ...SCENE, refusalCost: 0.5 }, undefined);

    expect(alone.goodput).toBeLessThan(0.6);
    expect(throttled.goodput).toBeGreaterThanOrEqual(0.9);
  });
});

it('refuses none of a million calls of a dependency that is well', () => {
  expect(refusalsOfHealthy(1_000_000)).toBe(0);
});
