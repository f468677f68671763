import 'reflect-metadata';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { ResilienceModule, ResilienceService } from 'nestjs-bulwark';
import { decorate } from '../support/decorate.mjs';

/** The app under load: `node server.mjs Express|Fastify on|off`. It tells its port, and its numbers when asked. */
const [adapter, protection] = process.argv.slice(2);
const POOL_SLOTS = 20;
const POOL_MS = 40;
const ADAPTERS = { Express: () => new ExpressAdapter(), Fastify: () => new FastifyAdapter() };

/** Keeps the CPU busy. */
function burn(ms) {
  for (const end = performance.now() + ms; performance.now() < end;);
}

/** A pool as database drivers have it: so many at once, the others wait as long as it takes. */
const waiting = [];
let busy = 0;
async function inPool() {
  if (busy >= POOL_SLOTS) await new Promise((resolve) => waiting.push(resolve));
  else busy++;
  await new Promise((resolve) => setTimeout(resolve, POOL_MS));
  const next = waiting.shift();
  if (next === undefined) busy--;
  else next();
}

class Routes {
  async pool() {
    burn(1);
    await inPool();
    return { sku: 'teapot', price: 42 };
  }
  async cpu() {
    burn(5);
    return { sku: 'teapot', price: 42 };
  }
}
decorate(Routes.prototype, 'pool', Get('pool'));
decorate(Routes.prototype, 'cpu', Get('cpu'));
Controller()(Routes);

class AppModule {}
Module({ imports: [ResilienceModule.forRoot({ systemProtection: protection === 'on' })], controllers: [Routes] })(
  AppModule,
);

const app = await NestFactory.create(AppModule, ADAPTERS[adapter](), { logger: false });
await app.listen(0, '127.0.0.1');
const resilience = app.get(ResilienceService);
const limits = [];
const sampling = setInterval(() => {
  const { limit, active, loopDelayMs } = resilience.systemProtection ?? {};
  if (limit !== undefined) limits.push([limit, active, Math.round(loopDelayMs)]);
}, 500);
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  const shed = resilience.systemProtection?.shed ?? 0;
  process.send({ cpuMs: (user + system) / 1_000, shed, limits: limits.splice(0), atMs: performance.now() });
});
process.on('disconnect', async () => {
  clearInterval(sampling);
  await app.close();
  process.exit();
});
// Connections are kept however long nobody uses them.
app.getHttpServer().keepAliveTimeout = 0;
process.send({ port: app.getHttpServer().address().port });
