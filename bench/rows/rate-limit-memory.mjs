import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { RateLimit } from 'nestjs-bulwark';
import { decorate } from '../support/decorate.mjs';
import { valueLine } from '../support/line.mjs';
import { usedBytes } from '../support/memory.mjs';
import { extremes } from '../support/statistics.mjs';

export const title = 'memory of a rate limit under a flood of random keys';
export const execArgv = ['--expose-gc'];

const FLOOD = 500_000;
const LOOK_EVERY = 100_000;
/** How long nobody calls, ms. */
const IDLE_MS = 15_000;
const MIB = 2 ** 20;

/** A process each, so that what one leaves behind is not counted for the next. */
export function tasks({ quick, processes }) {
  return new Array(quick ? 1 : Math.min(processes, 3)).fill({ task: 'flood' });
}

export async function measure({ task }) {
  class Upstream {
    async request() {
      return 1;
    }
  }
  decorate(Upstream.prototype, 'request', RateLimit({ limit: 10, per: 1_000, key: (key) => key }));
  const upstream = new Upstream();
  await upstream.request('the first');
  const before = await usedBytes();
  let peak = 0;
  for (let made = 1; made <= FLOOD; made++) {
    // Once all keys are in use, those that share one limit are refused.
    await upstream.request(randomUUID()).catch(() => undefined);
    if (made % LOOK_EVERY === 0) peak = Math.max(peak, (await usedBytes()) - before);
  }
  await sleep(IDLE_MS);
  return { task, peak: peak / MIB, idle: ((await usedBytes()) - before) / MIB };
}

export function report(results) {
  const line = (figure, values, max) => valueLine({ figure, unit: 'MiB', measured: extremes(values), goal: { max } });
  return [
    line(
      '500,000 random keys, maxKeys 100,000: memory at most',
      results.map(({ peak }) => peak),
      40,
    ),
    line(
      'the same after 15 s without a call',
      results.map(({ idle }) => idle),
      2,
    ),
  ];
}
