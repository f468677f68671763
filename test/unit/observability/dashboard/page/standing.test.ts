import { expect, it } from 'vitest';
import { NOTHING, type Numbers } from '../../../../../lib/observability/dashboard/page/src/model/sample.js';
import { standingOf } from '../../../../../lib/observability/dashboard/page/src/model/standing.js';

const calm = { calls: 100, failed: 0, refused: 0 };
const closed: Partial<Numbers> = { state: 'closed', failureRatio: 0 };

it.each([
  ['open', { state: 'open' }, calm],
  ['forcedOpen', { state: 'forcedOpen' }, calm],
  ['halfOpen', { state: 'halfOpen' }, calm],
  ['keysOpen', { ...closed, keysNotClosed: 2 }, calm],
  ['failing', closed, { calls: 100, failed: 5, refused: 0 }],
  ['failing', { ...closed, failureRatio: 0.3 }, calm],
  ['closed', closed, { calls: 100, failed: 4, refused: 0 }],
  ['failing', closed, { calls: 100, failed: 5, refused: 90 }],
  ['refusing', closed, { calls: 100, failed: 0, refused: 100 }],
  ['queueing', { ...closed, waiting: 1 }, calm],
  ['disabled', { state: 'disabled' }, calm],
  ['closed', closed, calm],
  ['ok', {}, calm],
  ['idle', closed, { calls: 0, failed: 0, refused: 0 }],
  ['ok', { inFlight: 1 }, { calls: 0, failed: 0, refused: 0 }],
] as const)('is %s, with %j after %j', (standing, numbers, recent) => {
  expect(standingOf({ ...NOTHING, ...numbers }, recent)).toBe(standing);
});
