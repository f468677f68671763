import { writeFileSync } from 'node:fs';
import * as library from './library.mjs';
import { CAPACITY, CASES, compare, SCENARIO, TROUBLES } from './throttle.mjs';

const RESULTS = new URL('../results/throttle.json', import.meta.url);

// Nobody looks at the stacks of some hundred thousand errors.
Error.stackTraceLimit = 0;
const found = {};
for (const [name, trouble] of Object.entries(TROUBLES)) {
  found[name] = [];
  for (const { key, title, policies } of CASES) {
    process.stderr.write(`${trouble.title}: ${title}\n`);
    found[name].push({ key, title, policies, ...rounded(await compare(library, trouble, policies)) });
  }
  console.log(`\n${trouble.title}; ${SCENARIO.clients} clients`);
  const rows = found[name].map(({ title, goodput, worst, attempts, opened, recoveredAfter }) => [
    title,
    {
      'goodput /s': goodput,
      'of what it can do': `${Math.round((100 * goodput) / CAPACITY)} %`,
      'worst second': worst,
      'attempts /s': attempts,
      'a breaker opens, /min': opened,
      'recovered after': recoveredAfter === undefined ? 'never' : `${recoveredAfter} s`,
    },
  ]);
  console.table(Object.fromEntries(rows));
}
writeFileSync(RESULTS, `${JSON.stringify({ scenario: SCENARIO, troubles: TROUBLES, cases: found }, undefined, 1)}\n`);
console.log('\nwritten to bench/results/throttle.json');

function rounded(numbers) {
  return Object.fromEntries(
    Object.entries(numbers).map(([name, value]) => [name, value === undefined ? undefined : Number(value.toFixed(1))]),
  );
}
