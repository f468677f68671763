import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { redisMissing, RedisServer } from '../../../support/servers/redis-server.js';
import { compileProgram, LimitProcess, sliding, type FastRun, type RunOfCalls } from './limit-process.js';

const LIMIT = { limit: 1_000, per: 1_000, scope: 'cluster' };
/** Twice the limit in all. */
const OFFERED = [1_400, 400, 180, 20];
const WINDOW_MS = 10_000;
/** Until all processes are under way. */
const SETTLE_MS = 200;

const missing = redisMissing();

describe.skipIf(missing !== undefined)(
  'a limit of 1,000/s over four processes, which are offered twice as much',
  () => {
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
      const none = await all('none', 5_000);
      const own = await all('own', 5_000);
      const asked = await server.asks();
      const started = Date.now();
      const runs = await all('cluster', 30_000);

      const begun = runs.flatMap((run) => run.begun);
      // The burst at the beginning counts as well.
      const { most } = sliding(begun, WINDOW_MS, started - 10, started + 29_900);
      const { least } = sliding(begun, WINDOW_MS, started + SETTLE_MS, started + 29_900);
      report({
        'in 10 s': `${least} to ${most}`,
        'calls/s': sum(runs, 'calls') / 30,
        'begun/s, by process': runs.map((run) => Math.round(run.begun.length / 30)).join(', '),
        'asks of Redis/s': ((await server.asks()) - asked) / 30,
        'CPU us a call, harness included: no limit': perCall(none),
        'own limit': perCall(own),
        cluster: perCall(runs),
        'slowest call, ms': Math.max(...runs.map(({ slowest }) => slowest)),
      });
      expect(runs.flatMap(({ faults }) => faults)).toEqual([]);
      expect(most).toBeLessThanOrEqual(10_200);
      expect(least).toBeGreaterThanOrEqual(9_500);
    });

    it('lets no more than a tenth more through while Redis is down, and as much as before when it is back', async () => {
      const started = Date.now();
      const running = all('cluster', 45_000);
      await delay(12_000);
      await server.stop('SIGKILL');
      await delay(15_000);
      await server.start();
      const back = Date.now();

      const runs = await running;
      const begun = runs.flatMap((run) => run.begun);
      const { most } = sliding(begun, WINDOW_MS, started, started + 44_900);
      const down = sliding(begun, WINDOW_MS, started + 13_000, started + 26_500);
      const after = sliding(begun, WINDOW_MS, back + 3_000, started + 44_900);
      report({
        'most in 10 s': most,
        down: `${down.least} to ${down.most}`,
        back: `${after.least} to ${after.most}`,
        'slowest call, ms': Math.max(...runs.map(({ slowest }) => slowest)),
      });
      expect(runs.flatMap(({ faults }) => faults)).toEqual([]);
      expect(most).toBeLessThanOrEqual(11_000);
      // Two of the four want less than a quarter of the limit.
      expect(down.least).toBeGreaterThanOrEqual(6_000);
      expect(after.most).toBeLessThanOrEqual(10_200);
      expect(after.least).toBeGreaterThanOrEqual(9_500);
    });

    it('costs a busy process 5 us of its CPU a call at most, whether it is let through or refused', async () => {
      const CALLS = 200_000;
      for (const limit of [1_000_000, 20_000]) {
        const redis = { url: server.url, prefix: `fast-${limit}` };
        const one = await LimitProcess.start(program, redis, { ...LIMIT, limit }, 0);
        const cost = async (way: 'none' | 'own' | 'cluster'): Promise<FastRun & { us: number }> => {
          await one.runFast(way, CALLS);
          const run = await one.runFast(way, CALLS);
          return { ...run, us: run.cpu / run.calls };
        };
        const [none, own, cluster] = [await cost('none'), await cost('own'), await cost('cluster')];
        await one.stop();

        report({
          limit,
          'CPU us a call: no limit': none.us,
          own: own.us,
          cluster: cluster.us,
          refused: cluster.refused,
        });
        expect(cluster.us - none.us).toBeLessThanOrEqual(5);
      }
    });

    it('ends by itself when its apps are closed', async () => {
      const codes = await Promise.all(processes.splice(0).map((one) => one.stop()));

      expect(codes).toEqual([0, 0, 0, 0]);
      expect(await server.run('EXISTS', 'bulwark:{processes}')).toBe(0);
    });
  },
);

function perCall(runs: readonly RunOfCalls[]): number {
  return sum(runs, 'cpu') / sum(runs, 'calls');
}

function report(figures: Readonly<Record<string, unknown>>): void {
  for (const [what, value] of Object.entries(figures))
    console.log(`${what}: ${typeof value === 'number' ? Math.round(value * 100) / 100 : String(value)}`);
}

function sum(runs: readonly RunOfCalls[], what: 'calls' | 'cpu'): number {
  return runs.reduce((total, run) => total + run[what], 0);
}
