import 'reflect-metadata';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Controller, Get, Inject, Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { CircuitBreaker, Fallback, ResilienceModule, Retry, Timeout } from 'nestjs-bulwark';
import { ResilienceDashboardModule } from 'nestjs-bulwark/dashboard';
import { ResilienceMetricsModule } from 'nestjs-bulwark/metrics';
import { decorate } from '../support/decorate.mjs';
import { judge } from '../support/line.mjs';
import { interval, typical } from '../support/statistics.mjs';

export const title = 'requests of an app that is observed, per second of CPU time';

const ADAPTERS = { Express: () => new ExpressAdapter(), Fastify: () => new FastifyAdapter() };
const WARM_UP_REQUESTS = 6_000;
/** Long enough that each holds its share of garbage collections. */
const PHASE_MS = 100;

/** What an app has beside the guarded route, and what it may cost; the first and the last show the noise. */
const KINDS = {
  alone: { imports: () => [] },
  metrics: { imports: () => [ResilienceMetricsModule.forRoot()], goal: { min: 0.98 } },
  page: {
    imports: () => [ResilienceMetricsModule.forRoot(), ResilienceDashboardModule.forRoot({ guards: [] })],
    goal: { min: 0.97 },
  },
  aloneAgain: { imports: () => [] },
};
const NAMES = Object.keys(KINDS);

function appModule(kind) {
  class Prices {
    async guarded() {
      return { sku: 'teapot', price: 42 };
    }
  }
  decorate(Prices.prototype, 'guarded', Fallback({ value: null }), Retry(3), CircuitBreaker(), Timeout(1_000));
  Injectable()(Prices);
  class PricesController {
    guarded() {
      return this.prices.guarded();
    }
  }
  Inject(Prices)(PricesController.prototype, 'prices');
  decorate(PricesController.prototype, 'guarded', Get('guarded'));
  Controller()(PricesController);
  class AppModule {}
  Module({
    imports: [ResilienceModule.forRoot({}), ...KINDS[kind].imports()],
    providers: [Prices],
    controllers: [PricesController],
  })(AppModule);
  return AppModule;
}

export function tasks({ processes, seconds }) {
  return Object.keys(ADAPTERS).flatMap((adapter) => new Array(processes).fill({ adapter, seconds: seconds * 2 }));
}

export async function measure({ adapter, seconds }) {
  const running = {};
  for (const name of NAMES) {
    const app = await NestFactory.create(appModule(name), ADAPTERS[adapter](), { logger: false });
    await app.listen(0, '127.0.0.1');
    const { port } = app.getHttpServer().address();
    running[name] = { app, load: fork(new URL('../support/http-load.mjs', import.meta.url), [String(port)]) };
    // Somebody looks at the page all the time.
    if (name === 'page') running[name].load.send({ stream: '/resilience/api/stream' });
  }
  try {
    return { adapter, cpu: await measureApps(running, seconds) };
  } finally {
    for (const { app, load } of Object.values(running)) {
      load.disconnect();
      await app.close();
    }
  }
}

/** Microseconds of CPU time a request, by app: A B C D D C B A. */
async function measureApps(running, seconds) {
  const cpuOf = async (name, requests) => {
    const { load } = running[name];
    const before = process.cpuUsage();
    load.send({ path: '/guarded', requests });
    await once(load, 'message');
    const { user, system } = process.cpuUsage(before);
    return (user + system) / requests;
  };
  for (const name of NAMES) await cpuOf(name, WARM_UP_REQUESTS);
  const requests = Math.round((PHASE_MS * 1_000) / (await cpuOf('alone', WARM_UP_REQUESTS)));
  const samples = Object.fromEntries(NAMES.map((name) => [name, []]));
  for (const end = performance.now() + seconds * 1_000; performance.now() < end;) {
    const sums = Object.fromEntries(NAMES.map((name) => [name, 0]));
    for (const name of [...NAMES, ...NAMES.toReversed()]) sums[name] += await cpuOf(name, requests);
    for (const name of NAMES) samples[name].push(sums[name] / 2);
  }
  return samples;
}

export function report(results) {
  return Object.keys(ADAPTERS).flatMap((adapter) => {
    const cpu = results.filter((result) => result.adapter === adapter).map((result) => result.cpu);
    const perRound = (ratio) => cpu.map((one) => one.alone.map((_, round) => ratio(one, round)));
    const noise = interval(perRound(({ alone, aloneAgain }, round) => alone[round] / aloneAgain[round]));
    const perSecond = (name) => `${Math.round(1e6 / typical(cpu, name))} /s`;
    return ['metrics', 'page'].map((name) => {
      const measured = interval(
        perRound((one, round) => (one.alone[round] + one.aloneAgain[round]) / 2 / one[name][round]),
      );
      return {
        figure: `requests per CPU second with ${name === 'page' ? 'metrics and an open page' : 'metrics'}, ${adapter}`,
        peer: 'the same app without',
        ours: perSecond(name),
        theirs: perSecond('alone'),
        measured,
        noise,
        goal: KINDS[name].goal,
        verdict: judge(measured, KINDS[name].goal, noise),
      };
    });
  });
}
