/**
 * Three Nest apps that call one after the other over HTTP, and their client, in one process with one clock; run by
 * three-services.deep.test.ts. The first calls by axios, the second by fetch. It prints what it has seen as JSON.
 */
import 'reflect-metadata';
import { createHook } from 'node:async_hooks';
import { Agent, request as httpRequest, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { HttpService } from '@nestjs/axios';
import { Controller, Get, Inject, Injectable, Logger, Param, Query, Req, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import {
  Bulkhead,
  CircuitBreaker,
  fixed,
  ResilienceModule,
  ResilienceService,
  Retry,
  Signal,
  Timeout,
  type ResilienceModuleOptions,
} from 'nestjs-bulwark';
import { ResilienceHttpModule, resilientFetch } from 'nestjs-bulwark/http';
import { firstValueFrom } from 'rxjs';

/** What three-services.deep.test.ts reads. */
export interface BudgetReport {
  readonly calls: number;
  readonly statuses: Readonly<Record<string, number>>;
  /** Attempts of the last service, and how many of them were cut. */
  readonly attempts: number;
  readonly cut: number;
  /** By how much attempts have outlived the first one's budget, ms. */
  readonly over: { readonly max: number; readonly p999: number };
  /** The same without long turns of the loop, be it ours or another process that was at work: what was only waited for. */
  readonly overAtRest: { readonly max: number; readonly p999: number };
  readonly states: readonly string[];
  readonly tookMs: number;
}

export interface HangUpReport {
  /** What each service held before its client hung up: running and waiting calls. */
  readonly before: readonly number[];
  /** How long it took until none held anything and no attempt ran, ms, in nine rounds, the shortest first; without the time in which other processes had the machine. */
  readonly freedAfterMs: readonly number[];
  /** The same on the clock. */
  readonly wallMs: readonly number[];
  readonly after: readonly number[];
  readonly running: number;
  /** How many more timers of the library are pending after a round than after the one before. */
  readonly timers: number;
}

export interface TinyReport {
  readonly statuses: Readonly<Record<string, number>>;
  readonly states: readonly string[];
  readonly failures: readonly number[];
}

export interface RetryReport {
  /** How many attempts the last service has seen for one call. */
  readonly attempts: number;
}

const BUDGET_MS = 500;
const [, , platform = 'express', task = 'budget', count = '10000'] = process.argv;
/** A machine that is busy makes calls late: that is to open no breaker where time limits are tried. */
const volumeThreshold = task === 'budget' ? 1_000_000 : 10;
const Adapter: Type<ExpressAdapter | FastifyAdapter> = platform === 'express' ? ExpressAdapter : FastifyAdapter;
Logger.overrideLogger(false);

// ---- what is measured

/** When the time of a call was over, by its id. */
const over = new Map<string, number>();
const outlived: number[] = [];
const outlivedAtRest: number[] = [];
let attempts = 0;
let cut = 0;
let running = 0;

/** Turns of the loop that took long. */
interface Turn {
  readonly from: number;
  readonly to: number;
  /** For how much of it other processes had the machine, ms. */
  readonly awayMs: number;
}

const turns: Turn[] = [];
const TICK_MS = 2;
let ticked = performance.now();
let usedAtTick = usedMs();

/** What the process has computed so far, its collector of garbage included. */
function usedMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

function tick(): void {
  const now = performance.now();
  const used = usedMs();
  const awayMs = Math.max(0, now - ticked - TICK_MS - (used - usedAtTick));
  if (now - ticked > 2 * TICK_MS) turns.push({ from: ticked + TICK_MS, to: now, awayMs });
  if (turns.length > 5_000) turns.splice(0, 2_500);
  ticked = now;
  usedAtTick = used;
}
setInterval(tick, TICK_MS).unref();

/** The time from a moment to now, without `part` of the long turns that lie in it. */
function since(moment: number, part: (turn: Turn) => number): number {
  tick();
  const without = turns.reduce((sum, turn) => {
    const { from, to } = turn;
    return sum + (part(turn) * Math.max(0, to - Math.max(from, moment))) / (to - from);
  }, 0);
  return performance.now() - moment - without;
}

const away = ({ awayMs }: Turn): number => awayMs;
const whole = ({ from, to }: Turn): number => to - from;

function beginBudget(id: string): void {
  over.set(id, performance.now() + BUDGET_MS);
}

function attemptEnded(id: string): void {
  running--;
  const now = performance.now();
  const due = over.get(id);
  if (due === undefined) return;
  outlived.push(now - due);
  outlivedAtRest.push(now > due ? since(due, whole) : now - due);
}

// ---- the three services

@Injectable()
class Stock {
  @CircuitBreaker('stock', { timeout: false, volumeThreshold })
  @Retry({ maxAttempts: 3, backoff: fixed(20) })
  @Bulkhead({ maxConcurrent: 5_000 })
  async load(id: string, ms: number, fails: boolean, @Signal() signal?: AbortSignal): Promise<string> {
    attempts++;
    running++;
    try {
      await wait(ms, undefined, { signal: signal as AbortSignal });
      if (fails) throw new Error('down');
      return 'in stock';
    } catch (error) {
      if (signal?.aborted === true) cut++;
      throw error;
    } finally {
      attemptEnded(id);
    }
  }

  /** Five at once; the others wait. */
  @Bulkhead('hanging', { maxConcurrent: 5, maxQueue: 100 })
  async hang(id: string, @Signal() signal?: AbortSignal): Promise<string> {
    return this.load(id, 60_000, false, signal);
  }
}

@Controller()
class Third {
  constructor(@Inject(Stock) private readonly stock: Stock) {}

  @Get('load/:id')
  load(@Param('id') id: string, @Query('ms') ms: string, @Query('fails') fails?: string): Promise<string> {
    return this.stock.load(id, Number(ms), Number(fails) > Math.random());
  }

  @Get('hang/:id')
  hang(@Param('id') id: string): Promise<string> {
    return this.stock.hang(id);
  }
}

const urls = { second: '', third: '' };

@Injectable()
class Orders {
  @CircuitBreaker('orders', { timeout: false, volumeThreshold })
  @Retry({ maxAttempts: 3, backoff: fixed(20) })
  @Bulkhead({ maxConcurrent: 5_000 })
  async quote(path: string): Promise<string> {
    return (await resilientFetch(urls.third + path)).text();
  }
}

@Controller()
class Second {
  constructor(@Inject(Orders) private readonly orders: Orders) {}

  @Get(['load/:id', 'hang/:id'])
  quote(@Req() { url }: { url: string }): Promise<string> {
    return this.orders.quote(url);
  }
}

@Injectable()
class Offers {
  constructor(@Inject(HttpService) private readonly http: HttpService) {}

  @CircuitBreaker('offers', { timeout: false, volumeThreshold })
  @Bulkhead({ maxConcurrent: 5_000 })
  async find(path: string): Promise<string> {
    return (await firstValueFrom(this.http.get<string>(urls.second + path))).data;
  }

  @Timeout({ total: BUDGET_MS })
  async findInTime(path: string): Promise<string> {
    return this.find(path);
  }

  @Retry({ maxAttempts: 3, backoff: fixed(20) })
  async findAgain(path: string): Promise<string> {
    return this.find(path);
  }
}

@Controller()
class First {
  constructor(@Inject(Offers) private readonly offers: Offers) {}

  @Get(['load/:id', 'hang/:id'])
  find(@Req() { url }: { url: string }, @Param('id') id: string, @Query('how') how?: string): Promise<string> {
    if (how === 'again') return this.offers.findAgain(url);
    if (how !== 'total') return this.offers.find(url);
    beginBudget(id);
    return this.offers.findInTime(url);
  }
}

interface Service {
  readonly url: string;
  readonly server: Server;
  readonly resilience: ResilienceService;
}

async function start(controller: Type, provider: Type): Promise<Service> {
  class App {}
  const options: ResilienceModuleOptions = { log: false, callContext: true };
  const resilience = ResilienceModule.forRoot({
    ...options,
    deadlines: { accept: true },
    abortOnDisconnect: task === 'budget' || task === 'hang-up',
  });
  const module = {
    module: App,
    imports: [resilience, ResilienceHttpModule.register()],
    controllers: [controller],
    providers: [provider],
  };
  const app = await NestFactory.create(module, new Adapter(), { logger: false });
  await app.listen(0, '127.0.0.1');
  const server = app.getHttpServer() as Server;
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, server, resilience: app.get(ResilienceService) };
}

const third = await start(Third, Stock);
const second = await start(Second, Orders);
const first = await start(First, Offers);
const services = [first, second, third];
Object.assign(urls, { second: second.url, third: third.url });

const states = (): string[] => services.flatMap(({ resilience }) => resilience.circuitBreakers()).map((b) => b.state);
const held = (): number[] =>
  services.map(({ resilience }) =>
    resilience.bulkheads().reduce((sum, { active, waiting }) => sum + active + waiting, 0),
  );

// ---- the client

const agent = new Agent({ keepAlive: true });

function ask(path: string, headers: Record<string, string> = {}): Promise<string> {
  return new Promise((resolve) => {
    const request = httpRequest(first.url + path, { agent, headers }, (response: IncomingMessage) => {
      response.resume().on('end', () => resolve(String(response.statusCode)));
    });
    request.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message)).end();
  });
}

/** Calls one after the other, `width` at a time. */
async function load(calls: number, width: number, one: (n: number) => Promise<string>) {
  const statuses: Record<string, number> = {};
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < calls) {
      const status = await one(next++);
      statuses[status] = (statuses[status] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: width }, worker));
  return statuses;
}

/** Most answer soon, some late, and some so late that the budget cuts them. */
function latency(): number {
  const dice = Math.random();
  if (dice < 0.8) return 1 + Math.random() * 50;
  return dice < 0.9 ? 50 + Math.random() * 400 : 400 + Math.random() * 1_100;
}

function quantiles(values: number[]): { max: number; p999: number } {
  const sorted = values.sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
  return { max: at(1), p999: at(0.999) };
}

async function budget(): Promise<BudgetReport> {
  first.server.prependListener('request', ({ url = '', headers }: IncomingMessage) => {
    const id = /^\/load\/([^?]+)/.exec(url)?.[1];
    if (id !== undefined && headers['x-request-timeout'] !== undefined) beginBudget(id);
  });
  const begun = performance.now();
  const statuses = await load(Number(count), 20, (n) => {
    const path = `/load/${n}?ms=${latency().toFixed(1)}&fails=0.05`;
    return n % 2 === 0 ? ask(`${path}&how=total`) : ask(path, { 'X-Request-Timeout': `${BUDGET_MS}m` });
  });
  const tookMs = performance.now() - begun;
  await wait(2_000);
  return {
    calls: Number(count),
    statuses,
    attempts,
    cut,
    over: quantiles(outlived),
    overAtRest: quantiles(outlivedAtRest),
    states: states(),
    tookMs,
  };
}

/** Twenty requests hang, five of them with a slot of the last service; then their client hangs up. */
async function hangUpOnce(): Promise<
  Pick<HangUpReport, 'before' | 'after' | 'running'> & { freedAfterMs: number; wallMs: number }
> {
  const requests = Array.from({ length: 20 }, (_, n) =>
    httpRequest(`${first.url}/hang/${n}`, { headers: { 'X-Request-Timeout': '30S' } }).on('error', () => undefined),
  );
  for (const request of requests) request.end();
  // Those with a slot hold one of the method that they call, too.
  while (held()[2] !== 25 || running < 5) await wait(5);
  const before = held();
  await wait(100);

  const gone = performance.now();
  for (const request of requests) request.destroy();
  const late = gone + 10_000;
  while ((running > 0 || held().some((n) => n > 0)) && performance.now() < late) await wait(1);
  return { before, freedAfterMs: since(gone, away), wallMs: performance.now() - gone, after: held(), running };
}

async function hangUp(): Promise<HangUpReport> {
  await load(500, 20, (n) => ask(`/load/${n}?ms=1`));
  await hangUpOnce();
  const rounds: Awaited<ReturnType<typeof hangUpOnce>>[] = [];
  for (let n = 0; n < 9; n++) rounds.push(await hangUpOnce());

  // One timer serves a whole queue of time limits, and may stay when nothing waits in it.
  const pending = new Set<number>();
  createHook({
    init: (id, type) => {
      const isOurs = (line: string): boolean =>
        /\/lib\/(?!internal|kernel\/clock)/.test(line) && line.includes('bulwark');
      if (type === 'Timeout' && new Error('timer').stack?.split('\n').some(isOurs) === true) pending.add(id);
    },
    destroy: (id) => void pending.delete(id),
  }).enable();
  await hangUpOnce();
  await wait(50);
  const kept = pending.size;
  const last = await hangUpOnce();
  await wait(50);
  return {
    before: last.before,
    after: last.after,
    running: last.running,
    freedAfterMs: rounds.map((round) => round.freedAfterMs).sort((a, b) => a - b),
    wallMs: rounds.map((round) => round.wallMs).sort((a, b) => a - b),
    timers: pending.size - kept,
  };
}

async function tiny(): Promise<TinyReport> {
  const statuses = await load(Number(count), 5, (n) =>
    ask(`/load/${n}?ms=200`, { 'X-Request-Timeout': `${1 + (n % 5)}m` }),
  );
  await wait(300);
  const breakers = services.flatMap(({ resilience }) => resilience.circuitBreakers());
  return { statuses, states: states(), failures: breakers.map(({ stats }) => stats.failures) };
}

async function retries(): Promise<RetryReport> {
  await ask('/load/x?ms=1&fails=1&how=again');
  return { attempts };
}

const tasks: Record<string, () => Promise<unknown>> = { budget, 'hang-up': hangUp, tiny, retries };
process.stdout.write(JSON.stringify(await tasks[task]?.()));
process.exit();
