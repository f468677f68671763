import { fork } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { describeMachine } from './support/machine.mjs';
import { printTable } from './support/table.mjs';

const ROWS = [
  'breaker',
  'stack',
  'failure',
  'refusal',
  'kinds',
  'bytes',
  'rate-limit',
  'rate-limit-memory',
  'memory',
  'heap',
  'http',
  'observed',
  'data',
  'data-recovery',
  'start-up',
];
const PROCESS_LIMIT_MS = 120_000;
const RESULTS = new URL('./results/', import.meta.url);

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    processes: { type: 'string' },
    seconds: { type: 'string' },
    quick: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const { quick } = options;
const settings = {
  quick,
  /** How many fresh processes measure a row. */
  processes: Number(options.processes ?? (quick ? 2 : 5)),
  /** How long each of them measures. */
  seconds: Number(options.seconds ?? (quick ? 1 : 5)),
};

const unknown = positionals.filter((name) => !ROWS.includes(name));
if (options.help || unknown.length > 0) {
  console.log(`node bench/run.mjs [${ROWS.join('|')}]... [--processes 5] [--seconds 5] [--quick]`);
  process.exit(unknown.length > 0 ? 1 : 0);
}

const machine = describeMachine();
const begun = Date.now();
const lines = [];
for (const name of positionals.length > 0 ? positionals : ROWS) lines.push(...(await runRow(name)));
const minutes = Number(((Date.now() - begun) / 60_000).toFixed(1));

console.log(`\n${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, ${JSON.stringify(machine.versions)}\n`);
printTable(lines);
saveResults();

async function runRow(name) {
  const row = await import(`./rows/${name}.mjs`);
  const tasks = row.tasks?.(settings) ?? new Array(settings.processes).fill({ seconds: settings.seconds });
  const results = [];
  for (const [index, task] of tasks.entries()) {
    const seconds = String(Math.round((Date.now() - begun) / 1_000)).padStart(4);
    process.stderr.write(`${seconds} s  ${name}: ${row.title}, process ${index + 1} of ${tasks.length}\n`);
    results.push(await measureInChild(name, task, row.execArgv ?? []));
  }
  return row.report(results);
}

/** A fresh process each time: compilers decide differently from one to the next. */
function measureInChild(row, task, execArgv) {
  return new Promise((resolve, reject) => {
    const child = fork(new URL('./child.mjs', import.meta.url), [row, JSON.stringify(task)], {
      execArgv,
      // What Nest logs goes nowhere; errors are shown.
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      timeout: PROCESS_LIMIT_MS,
    });
    let result;
    child.on('message', (message) => (result = message));
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      if (code === 0 && result !== undefined) resolve(result);
      else reject(new Error(`row ${row}, ${JSON.stringify(task)}: the process ended with ${signal ?? `code ${code}`}`));
    });
  });
}

/** Only a whole run is kept: a quick or partial one would pass for more than it is. */
function saveResults() {
  if (quick || positionals.length > 0) return console.log('\nA quick or partial run: not written to bench/results.');
  const date = new Date(begun).toISOString();
  const text = `${JSON.stringify({ date, minutes, settings, machine, lines: lines.map(rounded) }, undefined, 2)}\n`;
  mkdirSync(RESULTS, { recursive: true });
  for (const file of [`${date.slice(0, 10)}.json`, 'latest.json']) writeFileSync(new URL(file, RESULTS), text);
  console.log(`\n${minutes} minutes; written to bench/results/latest.json`);
}

function rounded(line) {
  const round = (values) =>
    values && Object.fromEntries(Object.entries(values).map(([k, v]) => [k, Number(v.toPrecision(4))]));
  return { ...line, measured: round(line.measured), noise: round(line.noise) };
}
