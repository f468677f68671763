import { describe, expect, it } from 'vitest';
import { overload, refusalsOfHealthy } from './overload.scene.js';

const SCENE = { seconds: 60, capacity: 80, offered: 120 };

describe('a dependency that gets half as much again as it can do', () => {
  it('does all that it can, in every second, where refusing is cheap', async () => {
    const { goodput, worst, refusedHere } = await overload({ ...SCENE, refusalCost: 0.01 }, { factor: 1.1 });

    expect(goodput).toBeGreaterThanOrEqual(0.95);
    expect(worst).toBeGreaterThan(0.75);
    expect(refusedHere).toBeGreaterThan(0);
  });
});

it('refuses none of a hundred thousand calls of a dependency that is well', () => {
  expect(refusalsOfHealthy(100_000)).toBe(0);
});
