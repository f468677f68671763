import { setImmediate as turn } from 'node:timers/promises';
import { bulwarkClass, cockatielSampling, opossum } from '../support/breakers.mjs';
import { ERROR } from '../support/calls.mjs';
import { valueLine } from '../support/line.mjs';
import { countTimers, usedBytes } from '../support/memory.mjs';
import { extremes, seeded } from '../support/statistics.mjs';

export const title = 'memory and timers of 10,000 keyed breakers';
export const execArgv = ['--expose-gc'];

const KEYS = 10_000;
const CALLS_EACH = 5;
const MANY_CALLS = 1_000_000;
const MIB = 2 ** 20;

/** A process each, so that what one leaves behind is not counted for the next; few, since they hardly differ. */
export function tasks({ quick, processes }) {
  const repeats = quick ? 1 : Math.min(processes, 3);
  const repeated = ['bytes of bulwark', 'flat'].flatMap((task) => new Array(repeats).fill(task));
  return [...repeated, 'bytes of opossum', 'bytes of cockatiel', 'timers of bulwark', 'timers of opossum'].map(
    (task) => ({ task }),
  );
}

export async function measure({ task }) {
  const [what, , library] = task.split(' ');
  if (what === 'flat') return { task, value: await growth() };
  return { task, value: await (what === 'bytes' ? bytesPerBreaker : timersPerBreaker)(LIBRARIES[library]()) };
}

export function report(results) {
  const values = (task) => results.filter((result) => result.task === task).map(({ value }) => value);
  const one = (task, unit) => `${Number(values(task)[0].toPrecision(3))} ${unit}`;
  const bytes = {
    figure: 'memory of an idle keyed breaker',
    unit: 'KiB',
    measured: extremes(values('bytes of bulwark')),
  };
  return [
    valueLine({ ...bytes, peer: 'opossum instance', theirs: one('bytes of opossum', 'KiB'), goal: { max: 1.5 } }),
    valueLine({ ...bytes, peer: 'cockatiel instance', theirs: one('bytes of cockatiel', 'KiB') }),
    valueLine({
      figure: 'pending timers of an idle breaker',
      unit: '',
      measured: extremes(values('timers of bulwark')),
      peer: 'opossum instance',
      theirs: one('timers of opossum', ''),
      goal: { max: 0 },
    }),
    valueLine({
      figure: '10^6 calls, 10^4 keys, 5 % failures: heap after the first tenth',
      unit: 'MiB',
      measured: extremes(values('flat')),
      goal: { max: 1 },
    }),
  ];
}

/** How to call the breaker of a key. Of ours one method has them all; the others have an instance for each key. */
const LIBRARIES = {
  bulwark: () => {
    const Upstream = bulwarkClass(answer, { key: (key) => key, maxKeys: KEYS + 1 });
    const upstream = new Upstream();
    return (key, fails) => upstream.request(key, fails);
  },
  opossum: () => instances((method) => opossum(method, { enableSnapshots: true })),
  cockatiel: () => instances(cockatielSampling),
};

function instances(create) {
  const calls = new Map();
  let willFail = false;
  const method = () => answer('', willFail);
  return (key, fails) => {
    if (!calls.has(key)) calls.set(key, create(method));
    willFail = fails;
    return calls.get(key)();
  };
}

async function bytesPerBreaker(call) {
  await use(call, 'the first', false);
  const before = await usedBytes();
  await useAll(call);
  const after = await usedBytes();
  await use(call, 'the first', false);
  return (after - before) / KEYS / 1024;
}

async function timersPerBreaker(call) {
  const pending = countTimers();
  await useAll(call);
  // async_hooks tells of a cleared timer some turns of the event loop later.
  for (let turns = 0; turns < 10; turns++) await turn();
  return pending() / KEYS;
}

/** How much more is in use than after the first tenth, at most. */
async function growth() {
  const call = LIBRARIES.bulwark();
  const random = seeded(7);
  const used = [];
  for (let made = 1; made <= MANY_CALLS; made++) {
    await use(call, keyOf(Math.floor(random() * KEYS)), random() < 0.05);
    if (made % (MANY_CALLS / 10) === 0) used.push(await usedBytes());
  }
  return Math.max(0, ...used.slice(1).map((bytes) => bytes - used[0])) / MIB;
}

async function useAll(call) {
  for (let time = 0; time < CALLS_EACH; time++) {
    for (let index = 0; index < KEYS; index++) await use(call, keyOf(index), time === 0);
  }
}

/** A key as it comes with a request: a string of its own each time. */
function keyOf(index) {
  return `tenant-${index}`;
}

async function use(call, key, fails) {
  try {
    await call(key, fails);
  } catch {
    // A failure or a refusal: both are part of the run.
  }
}

async function answer(_key, fails) {
  if (fails) throw ERROR;
  return 1;
}
