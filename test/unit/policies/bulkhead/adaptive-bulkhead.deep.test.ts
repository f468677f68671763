import { expect, it } from 'vitest';
import { AdaptiveBulkheadScene } from './adaptive-bulkhead.scene.js';

it('finds the knee of what it guards, and tells its moves', async () => {
  const scene = new AdaptiveBulkheadScene({ initial: 8 });

  await scene.drive(60, 15_000, scene.service(20));

  expect(scene.bulkhead.limit).toBeGreaterThanOrEqual(15);
  expect(scene.bulkhead.limit).toBeLessThanOrEqual(30);
  expect(scene.environment.of('limitChange')[0]).toMatchObject({ name: 'payments', policy: 'bulkhead', before: 8 });
});

it('takes an attempt that ran out of time for a slow one, not for a fast one', async () => {
  const scene = new AdaptiveBulkheadScene({ initial: 40 });
  await scene.drive(60, 3_000, scene.service(1_000), 200);
  const before = scene.bulkhead.limit;

  // Work that takes its time limit, and ends when it is cut.
  await scene.drive(400, 1_000, () => scene.pause(200), 200);

  expect(before).toBeGreaterThanOrEqual(40);
  expect(scene.bulkhead.limit).toBeLessThan(before);
});

it('learns nothing from failures that come fast', async () => {
  const scene = new AdaptiveBulkheadScene({ initial: 10 });
  await scene.drive(60, 3_000, scene.service(20));
  const before = scene.bulkhead.limit;

  await scene.drive(60, 1_000, async () => {
    await scene.pause(1);
    throw new Error('no');
  });

  expect(scene.bulkhead.limit).toBe(before);
});
