import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { describeMachine } from '../support/machine.mjs';

const RESULTS = new URL('../results/', import.meta.url);
const ROUTES = {
  pool: { title: '1 ms of CPU and a pool of 20 x 40 ms', offered: 1_500, clients: 30, goal: 0.9, slower: 3 },
  cpu: { title: '5 ms of CPU', offered: 600, clients: 4, goal: 0.8 },
};
const WARM_UP_SECONDS = 2;
const CAPACITY_SECONDS = 4;

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '20' },
    runs: { type: 'string', default: '5' },
    platforms: { type: 'string', default: 'Express,Fastify' },
    routes: { type: 'string', default: 'pool,cpu' },
    verbose: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (options.help) {
  console.log(
    'node bench/overload/run.mjs [--seconds 20] [--runs 5] [--platforms Express,Fastify] [--routes pool,cpu] [--verbose]',
  );
  process.exit();
}
const seconds = Number(options.seconds);
const runs = Number(options.runs);

const rows = [];
for (const platform of options.platforms.split(',')) {
  for (const route of options.routes.split(',')) rows.push(await measureRoute(platform, route));
}
print(rows);
save(rows);

/**
 * Once what becomes of the route without protection. Then `runs` times what it can do at best, and right after it what it
 * does under protection, since a shared machine is not the same for long.
 */
async function measureRoute(platform, route) {
  const { offered, clients, goal, slower, title } = ROUTES[route];
  const path = `/${route}`;
  const open = (perSecond, duration, seed) => ({ kind: 'open', path, perSecond, seconds: duration, seed });
  const closed = (duration) => ({ kind: 'closed', path, clients, seconds: duration });
  const bare = await withServer(platform, 'off', async (load) => {
    await load(closed(WARM_UP_SECONDS));
    return goodput(await load(open(offered, seconds, 1)));
  });
  const results = [];
  for (let run = 1; run <= runs; run++) {
    process.stderr.write(`${platform}, ${route}: run ${run} of ${runs}\n`);
    const best = await withServer(platform, 'off', async (load) => {
      await load(closed(WARM_UP_SECONDS));
      return goodput(await load(closed(CAPACITY_SECONDS)));
    });
    results.push(
      await withServer(platform, 'on', async (load, stats) => {
        await load(open(best / 2, WARM_UP_SECONDS, run));
        const half = await load(open(best / 2, seconds / 2, run));
        const before = await stats();
        const overload = await load(open(offered, seconds, run));
        const after = await stats();
        if (options.verbose) process.stderr.write(`${after.limits.map((one) => one.join('/')).join(' ')}\n`);
        return {
          best,
          share: goodput(overload) / best,
          goodput: goodput(overload),
          p99: percentile(overload.latencies, 0.99),
          p99Half: percentile(half.latencies, 0.99),
          shedAtHalf: half.shedLatencies.length,
          p99Shed: percentile(overload.shedLatencies, 0.99),
          late: overload.late,
          failed: overload.failed,
          loadLateMs: overload.lateMs,
          cpu: (after.cpuMs - before.cpuMs) / (after.atMs - before.atMs),
        };
      }),
    );
    if (options.verbose) process.stderr.write(`${JSON.stringify(rounded(results.at(-1)))}\n`);
  }
  const middle = (key) => median(results.map((one) => one[key]));
  const share = middle('share');
  const stretch = median(results.map(({ p99, p99Half }) => p99 / p99Half));
  return {
    platform,
    route: title,
    offered,
    best: middle('best'),
    unprotected: bare,
    goodput: middle('goodput'),
    share,
    goal,
    p99Half: middle('p99Half'),
    p99: middle('p99'),
    stretch,
    slower,
    shedAtHalf: middle('shedAtHalf'),
    date: new Date().toISOString(),
    seconds,
    holds: share >= goal && (slower === undefined || stretch <= slower),
    runs: results.map(rounded),
  };
}

/** A fresh server and fresh clients. */
async function withServer(platform, protection, measure) {
  const stdio = ['ignore', 'ignore', 'inherit', 'ipc'];
  const server = fork(new URL('./server.mjs', import.meta.url), [platform, protection], { stdio });
  const [{ port }] = await once(server, 'message');
  const clients = fork(new URL('./load.mjs', import.meta.url), [String(port)], { stdio });
  await once(clients, 'message');
  const ask = async (child, message) => {
    child.send(message);
    return (await once(child, 'message'))[0];
  };
  try {
    return await measure(
      (task) => ask(clients, task),
      () => ask(server, {}),
    );
  } finally {
    clients.disconnect();
    server.disconnect();
    await once(server, 'exit');
  }
}

function goodput({ latencies, seconds: duration }) {
  return latencies.length / duration;
}

function percentile(values, fraction) {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(fraction * sorted.length))] ?? NaN;
}

function median(values) {
  return percentile(values, 0.5);
}

function rounded(result) {
  return Object.fromEntries(
    Object.entries(result).map(([key, value]) => [
      key,
      typeof value === 'number' ? Number(value.toPrecision(4)) : value,
    ]),
  );
}

function print(lines) {
  const table = lines.map((line) => ({
    platform: line.platform,
    route: line.route,
    'offered /s': line.offered,
    'best /s': Math.round(line.best),
    'unprotected /s': Math.round(line.unprotected),
    'goodput /s': Math.round(line.goodput),
    'of the best': `${(line.share * 100).toFixed(1)} % (goal ${line.goal * 100})`,
    'p99 at half, ms': line.p99Half.toFixed(0),
    'p99, ms': line.p99.toFixed(0),
    times: `${line.stretch.toFixed(2)}${line.slower === undefined ? '' : ` (goal ${line.slower})`}`,
    holds: line.holds,
  }));
  console.log('\nGoodput: answers 200 within 1 s of the planned time. Medians of the runs.');
  console.table(table);
}

/** Rows that were not measured now stay as they are. */
function save(lines) {
  const file = new URL('overload.json', RESULTS);
  const known = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).lines : [];
  const kept = known.filter((old) => !lines.some((line) => line.platform === old.platform && line.route === old.route));
  const all = [...kept, ...lines.map(rounded)];
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(file, `${JSON.stringify({ machine: describeMachine(), lines: all }, undefined, 2)}\n`);
  console.log('written to bench/results/overload.json');
}
