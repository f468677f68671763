import { bulwark } from '../support/breakers.mjs';
import { succeed, succeeding } from '../support/calls.mjs';
import { valueLine } from '../support/line.mjs';
import { allocatedBytes } from '../support/memory.mjs';
import { callOf, stackOfFour } from '../support/stacks.mjs';
import { extremes } from '../support/statistics.mjs';

export const title = 'bytes that one call allocates';

const CALLS = 1_000_000;
/** Until the compiler has made up its mind: what it keeps of a call in registers is not allocated. */
const WARM_UP_CALLS = 300_000;

/** Half of what a call took when each policy made a closure and a promise. */
const GOAL = { max: 1_043 };

const SUBJECTS = {
  'the stack': () => callOf(stackOfFour(), succeed),
  'a breaker alone': () => bulwark(succeed)(),
  'no policy': () => succeed,
};

/** A process each: what one has taught the compiler is not lent to the next. Few, since they hardly differ. */
export function tasks({ quick, processes }) {
  const repeats = quick ? 1 : Math.min(processes, 3);
  return Object.keys(SUBJECTS).flatMap((subject) => new Array(repeats).fill({ subject }));
}

export async function measure({ subject }) {
  const run = succeeding(SUBJECTS[subject]());
  await run(WARM_UP_CALLS);
  return { subject, bytes: (await allocatedBytes(() => run(CALLS))) / CALLS };
}

export function report(results) {
  const values = (name) => results.filter(({ subject }) => subject === name).map(({ bytes }) => bytes);
  const line = (name, goal) =>
    valueLine({ figure: `bytes of one call: ${name}`, unit: 'B', measured: extremes(values(name)), goal });
  return Object.keys(SUBJECTS).map((name) => line(name, name === 'the stack' ? GOAL : undefined));
}
