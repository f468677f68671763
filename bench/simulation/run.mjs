import { mkdirSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import * as library from './library.mjs';
import { draw } from './picture.mjs';
import { CASES, PICTURED, SCENARIO, TRIGGERS } from './scenario.mjs';
import { simulate } from './simulate.mjs';

const ROOT = new URL('../../', import.meta.url);
const RESULTS = new URL('bench/results/simulation.json', ROOT);
const PICTURE = new URL('docs/images/simulation.svg', ROOT);

const { values: options } = parseArgs({
  options: {
    triggers: { type: 'string', default: Object.keys(TRIGGERS).join() },
    cases: { type: 'string', default: CASES.map(({ key }) => key).join() },
    clients: { type: 'string', default: String(SCENARIO.clients) },
    calls: { type: 'string', default: String(SCENARIO.callsPerSecond) },
    seed: { type: 'string', default: String(SCENARIO.seed) },
    help: { type: 'boolean', default: false },
  },
});
if (options.help) {
  console.log(
    'node bench/simulation/run.mjs [--triggers capacity,spike] [--cases naive,budget,...] [--clients 1000] [--calls 500] [--seed 1]',
  );
  process.exit();
}

// Nobody looks at the stacks of some hundred thousand errors.
Error.stackTraceLimit = 0;
const scenario = {
  ...SCENARIO,
  clients: Number(options.clients),
  callsPerSecond: Number(options.calls),
  seed: Number(options.seed),
};
const names = options.triggers.split(',');
const cases = CASES.filter(({ key }) => options.cases.split(',').includes(key));
const found = {};
for (const name of names) {
  const trigger = TRIGGERS[name];
  found[name] = [];
  for (const { policies, ...one } of cases) {
    process.stderr.write(`${trigger.title}: ${one.title}\n`);
    found[name].push({ ...one, ...(await simulate(library, { ...scenario, trigger }, policies)) });
  }
  print(trigger, found[name]);
}
save();

function print(trigger, results) {
  console.log(`\n${trigger.title}; ${scenario.clients} clients, ${scenario.callsPerSecond} calls/s`);
  const rows = results.map(({ title, summary }) => [
    title,
    {
      'goodput before /s': Math.round(summary.before),
      during: Math.round(summary.during),
      after: Math.round(summary.after),
      'at the end': Math.round(summary.last),
      'attempts /s, most': summary.peak,
      'at the end ': Math.round(summary.offeredLast),
      'wasted /s': Math.round(summary.wastedLast),
      'recovered after': summary.recoveredAfter === undefined ? 'never' : `${summary.recoveredAfter} s`,
    },
  ]);
  console.table(Object.fromEntries(rows));
}

/** Only the whole run with its own numbers is kept: any other would pass for it. */
function save() {
  const isWhole =
    names.length === Object.keys(TRIGGERS).length &&
    cases.length === CASES.length &&
    ['clients', 'callsPerSecond', 'seed'].every((key) => scenario[key] === SCENARIO[key]);
  if (!isWhole) return console.log('\nNot the whole run: nothing is written.');
  const triggers = Object.fromEntries(
    Object.entries(found).map(([name, results]) => [name, { ...TRIGGERS[name], cases: results.map(compact) }]),
  );
  writeFileSync(RESULTS, `${JSON.stringify({ scenario, triggers }, undefined, 1)}\n`);
  const pictured = found.capacity.filter(({ key }) => PICTURED.includes(key));
  mkdirSync(new URL('.', PICTURE), { recursive: true });
  writeFileSync(PICTURE, draw(pictured, scenario, TRIGGERS.capacity));
  console.log('\nwritten to bench/results/simulation.json and docs/images/simulation.svg');
}

/** A series as one line, seconds in order. */
function compact({ key, title, summary, series }) {
  const numbers = Object.entries(summary).map(([name, value]) => [name, Number(value?.toFixed(2) ?? NaN)]);
  const lines = Object.entries(series).map(([name, values]) => [name, values.join(' ')]);
  return { key, title, summary: Object.fromEntries(numbers), perSecond: Object.fromEntries(lines) };
}
