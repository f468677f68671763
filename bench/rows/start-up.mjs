import { loadPeer } from '../peers/load.mjs';
import { valueLine } from '../support/line.mjs';
import { extremes, interval } from '../support/statistics.mjs';

export const title = 'what an import adds to the start of an app of Nest';
export const execArgv = ['--expose-gc'];

const MIB = 2 ** 20;
const ROOT = 'nestjs-bulwark';
const PEERS = ['opossum', 'cockatiel'];
/** Of the same package, for information. */
const SUBPATHS = ['data', 'dashboard', 'http'].map((name) => `${ROOT}/${name}`);

/** A process for each import, in turn, so that all meet the same machine. */
export function tasks({ quick, processes }) {
  const rounds = quick ? 3 : processes * 3;
  return new Array(rounds).fill([ROOT, ...PEERS, ...SUBPATHS]).flatMap((names) => names.map((name) => ({ name })));
}

export async function measure({ name }) {
  for (const own of ['reflect-metadata', 'rxjs', '@nestjs/common', '@nestjs/core']) await import(own);
  const before = usage();
  const begun = performance.now();
  await (PEERS.includes(name) ? loadPeer(name) : import(name));
  const ms = performance.now() - begun;
  const cpu = process.cpuUsage(before.cpu);
  const after = usage();
  return {
    name,
    ms,
    cpuMs: (cpu.user + cpu.system) / 1_000,
    rssMib: (after.rss - before.rss) / MIB,
    heapMib: (after.heapUsed - before.heapUsed) / MIB,
  };
}

export function report(results) {
  const of = (name, figure) => extremes(results.filter((result) => result.name === name).map((r) => r[figure]));
  // Of single starts the slowest tells of the machine: what counts is how sure their median is.
  const medianOf = (name, figure) => interval(results.filter((r) => r.name === name).map((r) => [r[figure]]));
  const peers = (figure) => PEERS.map((name) => `${name} ${of(name, figure).median.toPrecision(2)}`).join(', ');
  const line = (what, figure, unit, goal) =>
    valueLine({
      figure: `import of the root, ${what}`,
      unit,
      measured: medianOf(ROOT, figure),
      peer: 'imports of peers',
      theirs: peers(figure),
      goal,
    });
  return [
    line('time', 'ms', 'ms', { max: 40 }),
    line('CPU time', 'cpuMs', 'ms'),
    line('memory of the process', 'rssMib', 'MiB', { max: 6 }),
    line('heap', 'heapMib', 'MiB'),
    ...SUBPATHS.map((name) =>
      valueLine({ figure: `import of /${name.split('/')[1]}, time`, unit: 'ms', measured: of(name, 'ms') }),
    ),
  ];
}

/** Nothing of before the import is left to be collected during it. */
function usage() {
  globalThis.gc();
  globalThis.gc();
  return { ...process.memoryUsage(), cpu: process.cpuUsage() };
}
