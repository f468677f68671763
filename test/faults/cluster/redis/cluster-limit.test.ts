import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { redisMissing, RedisServer } from '../../../support/servers/redis-server.js';
import { compileProgram, LimitProcess, sliding, type RunOfCalls } from './limit-process.js';

const LIMIT = { limit: 1_000, per: 1_000, scope: 'cluster' };
/** Twice the limit in all. */
const OFFERED = [1_400, 400, 180, 20];
const WINDOW_MS = 10_000;

const missing = redisMissing();

describe.skipIf(missing !== undefined)('a limit of 1,000/s over four processes, which are offered twice as much', () => {
  let server: RedisServer;
  let program: string;
  let processes: LimitProcess[] = [];

  beforeAll(async () => {
    program = await compileProgram();
    server = await RedisServer.create();
    processes = await Promise.all(
      OFFERED.map((perSecond) => LimitProcess.start(program, { url: server.url }, LIMIT, perSecond)),
    );
  });

  afterAll(async () => {
    await Promise.all(processes.map((one) => one.stop()));
    await server.remove();
    await rm(dirname(program), { recursive: true });
  });

  const all = (way: 'cluster' | 'own' | 'none', ms: number): Promise<RunOfCalls[]> =>
    Promise.all(processes.map((one) => one.run(way, ms)));

  it('lets 1,000/s through in every sliding 10 s, and costs little', async () => {
    const none = await all('none', 10_000);
    const own = await all('own', 10_000);
    const started = Date.now();
    const runs = await all('cluster', 30_000);

    const begun = runs.flatMap((run) => run.begun);
    const { least, most } = sliding(begun, WINDOW_MS, started + 200, started + 29_900);
    const calls = sum(runs, 'calls');
    const perCall = (these: readonly RunOfCalls[]): number => sum(these, 'cpu') / sum(these, 'calls');
    console.log({
      least, most, calls, admitted: begun.length, split: runs.map((run) => run.begun.length / 30),
      slowest: runs.map(({ slowest }) => Math.round(slowest)),
      cpu: { none: perCall(none), own: perCall(own), cluster: perCall(runs), each: runs.map((run) => run.cpu / run.calls) },
      commands: await server.run('INFO', 'commandstats'),
      memory: runs.flatMap(({ faults }) => faults),
    });

    expect(runs.flatMap(({ faults }) => faults)).toEqual([]);
    expect(most).toBeLessThanOrEqual(10_200);
    expect(least).toBeGreaterThanOrEqual(9_500);
  });
});

function sum(runs: readonly RunOfCalls[], what: 'calls' | 'cpu'): number {
  return runs.reduce((total, run) => total + run[what], 0);
}
