import { setTimeout as pause } from 'node:timers/promises';
import { bulwark, opossum } from '../support/breakers.mjs';
import { fail, succeed } from '../support/calls.mjs';
import { valueLine } from '../support/line.mjs';
import { usedBytes } from '../support/memory.mjs';
import { extremes } from '../support/statistics.mjs';

export const title = 'the heap under a steady load, with a window of 10 s';
export const execArgv = ['--expose-gc'];

const CALLS_PER_SECOND = 60_000;
const ENOUGH_PER_SECOND = 50_000;
const SETTLED_MS = 2_000;
const MIB = 2 ** 20;

export function tasks({ processes, quick }) {
  if (quick) return [{ library: 'bulwark', ms: 6_000 }];
  const ours = new Array(Math.min(processes, 2)).fill({ library: 'bulwark', ms: 14_000 });
  return [...ours, { library: 'opossum', ms: 14_000 }];
}

export async function measure({ library, ms }) {
  let made = 0;
  // opossum sorts every latency of its window at each failure and could not keep up: it gets successes only.
  const work = library === 'bulwark' ? () => (made % 20 === 0 ? fail() : succeed()) : succeed;
  const call = library === 'bulwark' ? bulwark(work)() : opossum(work);
  const begun = performance.now();
  const used = [];
  for (let now = begun; now < begun + ms; now = performance.now()) {
    const due = ((now - begun) / 1_000) * CALLS_PER_SECOND;
    for (; made < due; made++) await call().catch(() => undefined);
    const nextSample = SETTLED_MS + used.length * 1_000;
    if (performance.now() - begun >= nextSample) used.push(await usedBytes());
    else await pause(1);
  }
  const perSecond = (made / (performance.now() - begun)) * 1_000;
  return { library, perSecond, growth: Math.max(...used) - used[0], used };
}

export function report(results) {
  const ours = results.filter(({ library }) => library === 'bulwark');
  const theirs = results.find(({ library }) => library === 'opossum');
  const slowest = Math.min(...ours.map(({ perSecond }) => perSecond));
  const line = valueLine({
    figure: `heap at ${Math.floor(slowest / 1_000)},000 calls/s, growth after 2 s`,
    unit: 'MiB',
    measured: extremes(ours.map(({ growth }) => growth / MIB)),
    peer: theirs && 'opossum, successes only',
    theirs: theirs && `${(theirs.growth / MIB).toPrecision(3)} MiB`,
    goal: { max: 1 },
  });
  return [slowest >= ENOUGH_PER_SECOND ? line : { ...line, verdict: 'not measurable here' }];
}
