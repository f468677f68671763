import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compileLib } from '../../../support/compiled-lib.js';

/** Makes calls at random moments, so many a second on average, and says when those began that were let through. */
const PROGRAM = `
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { RateLimitExceededException, ResilienceModule, ResilienceService } from './index.js';
import { ResilienceRedisModule } from './cluster/redis/index.js';

const [redis, rateLimit, perSecond] = JSON.parse(process.argv[2]);
class App {}
Module({
  imports: [
    ResilienceModule.forRoot({ policies: { api: { rateLimit }, own: { rateLimit: { limit: rateLimit.limit, per: rateLimit.per } } }, log: false }),
    ResilienceRedisModule.forRoot(redis),
  ],
})(App);
const app = await NestFactory.createApplicationContext(App, { logger: ['error'] });
const resilience = app.get(ResilienceService);
const work = async () => {};
const ways = {
  none: work,
  own: () => resilience.execute('own', work),
  cluster: () => resilience.execute('api', work),
};

let [begun, calls, faults, slowest] = [[], 0, [], 0];
async function call(way) {
  const since = performance.now();
  try {
    await way();
    begun.push(performance.timeOrigin + performance.now());
  } catch (error) {
    if (!(error instanceof RateLimitExceededException)) faults.push(String(error?.stack));
  }
  slowest = Math.max(slowest, performance.now() - since);
}

/** @returns what it took of the CPU, us. */
async function run(way, ms) {
  [begun, calls, faults, slowest] = [[], 0, [], 0];
  const before = process.cpuUsage();
  const end = performance.now() + ms;
  let next = performance.now();
  while (performance.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    for (const now = performance.now(); next < now; next -= (Math.log(1 - Math.random()) * 1000) / perSecond) {
      calls++;
      void call(ways[way]);
    }
  }
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

/** One after the other, as fast as they go. */
async function runFast(way, count) {
  const before = process.cpuUsage();
  let refused = 0;
  for (let i = 0; i < count; i++) {
    try { await ways[way](); } catch { refused++; }
    if (i % 100 === 0) await new Promise(setImmediate);
  }
  const { user, system } = process.cpuUsage(before);
  return { cpu: user + system, refused };
}

process.on('message', async ({ way, ms, count }) => {
  if (count !== undefined) return process.send({ calls: count, ...(await runFast(way, count)) });
  const cpu = await run(way, ms);
  await new Promise((resolve) => setTimeout(resolve, 100));
  process.send({ begun, calls, faults: faults.slice(0, 3), faultCount: faults.length, slowest, cpu });
});
process.on('disconnect', () => void app.close());
process.send('ready');
`;

/** What came of a run. */
export interface RunOfCalls {
  /** When calls began, epoch ms. */
  readonly begun: readonly number[];
  readonly calls: number;
  /** Errors other than refusals. */
  readonly faults: readonly string[];
  /** The longest that a call took, ms. */
  readonly slowest: number;
  /** us. */
  readonly cpu: number;
}

/** What came of calls one after the other. */
export interface FastRun {
  readonly calls: number;
  readonly refused: number;
  /** us. */
  readonly cpu: number;
}

/** Compiles what the processes run, into a folder of its own, which is to be removed. */
export async function compileProgram(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'bulwark-limit-'));
  await compileLib(folder);
  const program = join(folder, 'limit-process.js');
  await writeFile(program, PROGRAM);
  return program;
}

/** An app in a process of its own, whose calls share a limit with those of others. */
export class LimitProcess {
  private constructor(private readonly child: ChildProcess) {}

  static async start(program: string, redis: object, rateLimit: object, perSecond: number): Promise<LimitProcess> {
    const child = fork(program, [JSON.stringify([redis, rateLimit, perSecond])], { stdio: 'inherit' });
    await once(child, 'message');
    return new LimitProcess(child);
  }

  /** Makes calls for `ms`, by the limit of the cluster, an own one or none. */
  async run(way: 'cluster' | 'own' | 'none', ms: number): Promise<RunOfCalls> {
    this.child.send({ way, ms });
    const [result] = (await once(this.child, 'message')) as [RunOfCalls];
    return result;
  }

  /** Makes so many calls, one after the other. */
  async runFast(way: 'cluster' | 'own' | 'none', count: number): Promise<FastRun> {
    this.child.send({ way, count });
    const [result] = (await once(this.child, 'message')) as [FastRun];
    return result;
  }

  /** Closes the app, and waits until nothing keeps its process alive. */
  async stop(): Promise<number | null> {
    const exited = once(this.child, 'exit');
    this.child.disconnect();
    const [code] = (await exited) as [number | null];
    return code;
  }

  kill(): void {
    this.child.kill('SIGKILL');
  }
}

/** The fewest and the most that began within any `windowMs` that lie wholly between the first and the last moment. */
export function sliding(
  begun: readonly number[],
  windowMs: number,
  from: number,
  to: number,
): { least: number; most: number } {
  const times = [...begun].sort((a, b) => a - b);
  let [first, last, least, most] = [0, 0, Infinity, 0];
  for (let start = from; start + windowMs <= to; start += 5) {
    while ((times[first] ?? Infinity) < start) first++;
    while ((times[last] ?? Infinity) < start + windowMs) last++;
    least = Math.min(least, last - first);
    most = Math.max(most, last - first);
  }
  return { least, most };
}
