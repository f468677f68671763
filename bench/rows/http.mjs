import 'reflect-metadata';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Controller, Get, Inject, Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { CircuitBreaker, Fallback, ResilienceModule, Retry, Timeout } from 'nestjs-bulwark';
import { decorate } from '../support/decorate.mjs';
import { judge } from '../support/line.mjs';
import { interval, typical } from '../support/statistics.mjs';

export const title = 'requests of a Nest app per second of CPU time';

const ADAPTERS = { Express: () => new ExpressAdapter(), Fastify: () => new FastifyAdapter() };
const GOALS = { Express: { min: 0.97 }, Fastify: { min: 0.96 } };
const WARM_UP_REQUESTS = 6_000;
/** Long enough that each holds its share of garbage collections. */
const PHASE_MS = 100;

/** The same method three times: guarded, and bare before and after it, since the place of a route costs something. */
class Prices {
  async bare() {
    return { sku: 'teapot', price: 42 };
  }
  async guarded() {
    return { sku: 'teapot', price: 42 };
  }
  async bareAgain() {
    return { sku: 'teapot', price: 42 };
  }
}
const policies = [Fallback({ value: null }), Retry(3), CircuitBreaker(), Timeout(1_000)];
decorate(Prices.prototype, 'guarded', ...policies);
Injectable()(Prices);

class PricesController {
  bare() {
    return this.prices.bare();
  }
  guarded() {
    return this.prices.guarded();
  }
  bareAgain() {
    return this.prices.bareAgain();
  }
}
const ROUTES = ['bare', 'guarded', 'bareAgain'];
Inject(Prices)(PricesController.prototype, 'prices');
for (const route of ROUTES) decorate(PricesController.prototype, route, Get(route));
Controller()(PricesController);

class AppModule {}
Module({ imports: [ResilienceModule.forRoot({})], providers: [Prices], controllers: [PricesController] })(AppModule);

export function tasks({ processes, seconds }) {
  return Object.keys(ADAPTERS).flatMap((adapter) => new Array(processes).fill({ adapter, seconds: seconds * 2 }));
}

export async function measure({ adapter, seconds }) {
  const app = await NestFactory.create(AppModule, ADAPTERS[adapter](), { logger: false });
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address();
  const load = fork(new URL('../support/http-load.mjs', import.meta.url), [String(port)]);
  try {
    return { adapter, cpu: await measureRoutes(load, seconds) };
  } finally {
    load.disconnect();
    await app.close();
  }
}

/** Microseconds of CPU time a request, by route: A B C C B A. */
async function measureRoutes(load, seconds) {
  const cpuOf = async (route, requests) => {
    const before = process.cpuUsage();
    load.send({ path: `/${route}`, requests });
    await once(load, 'message');
    const { user, system } = process.cpuUsage(before);
    return (user + system) / requests;
  };
  for (const route of ROUTES) await cpuOf(route, WARM_UP_REQUESTS);
  const requests = Math.round((PHASE_MS * 1_000) / (await cpuOf('bare', WARM_UP_REQUESTS)));
  const samples = Object.fromEntries(ROUTES.map((route) => [route, []]));
  for (const end = performance.now() + seconds * 1_000; performance.now() < end;) {
    const sums = Object.fromEntries(ROUTES.map((route) => [route, 0]));
    for (const route of [...ROUTES, ...ROUTES.toReversed()]) sums[route] += await cpuOf(route, requests);
    for (const route of ROUTES) samples[route].push(sums[route] / 2);
  }
  return samples;
}

export function report(results) {
  return Object.keys(ADAPTERS).map((adapter) => {
    const cpu = results.filter((result) => result.adapter === adapter).map((result) => result.cpu);
    const perRound = (ratio) => cpu.map((one) => one.bare.map((_, round) => ratio(one, round)));
    const measured = interval(
      perRound(({ bare, bareAgain, guarded }, round) => (bare[round] + bareAgain[round]) / 2 / guarded[round]),
    );
    const noise = interval(perRound(({ bare, bareAgain }, round) => bare[round] / bareAgain[round]));
    const perSecond = (route) => `${Math.round(1e6 / typical(cpu, route))} /s`;
    return {
      figure: `requests per CPU second, ${adapter}`,
      peer: 'the bare route',
      ours: perSecond('guarded'),
      theirs: perSecond('bare'),
      measured,
      noise,
      goal: GOALS[adapter],
      verdict: judge(measured, GOALS[adapter], noise),
    };
  });
}
