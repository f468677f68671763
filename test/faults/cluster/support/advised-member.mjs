/**
 * One process of a fleet for advice.test.ts: calls an upstream again and again under a breaker, and tells its parent of
 * each change of state. It is given the compiled library, so that it is a process like any other.
 */
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { pathToFileURL } from 'node:url';

const { library, etcd, circuitBreaker, upstream, everyMs, skewMs = 0 } = JSON.parse(process.argv[2]);
// A machine whose clock is wrong.
const rightNow = Date.now;
Date.now = () => rightNow() + skewMs;
const { ResilienceModule, ResilienceService } = await import(pathToFileURL(`${library}/index.js`).href);
const { ResilienceEtcdModule } = await import(pathToFileURL(`${library}/cluster/etcd/index.js`).href);

class AppModule {}
Module({
  imports: [
    ResilienceModule.forRoot({ policies: { upstream: { circuitBreaker } }, log: false }),
    ResilienceEtcdModule.forRoot(etcd),
  ],
})(AppModule);

const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
const resilience = app.get(ResilienceService);
resilience.events$.subscribe((event) => {
  if (event.type === 'stateChange' || event.type === 'store') process.send({ ...event, error: undefined });
});

let isCutOff = false;
let pause = everyMs;
let calls = 0;
const errors = new Map();
const call = async () => {
  if (isCutOff) throw new Error('connect ENETUNREACH');
  const response = await fetch(upstream);
  await response.arrayBuffer();
  if (!response.ok) throw Object.assign(new Error('upstream failed'), { status: response.status });
};

const loop = async () => {
  for (;;) {
    calls++;
    await resilience.execute('upstream', call).catch((error) => {
      const text = `${error?.code ?? ''} ${error?.message}`;
      errors.set(text, (errors.get(text) ?? 0) + 1);
    });
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
};

process.on('message', async (message) => {
  if ('isCutOff' in message) isCutOff = message.isCutOff;
  if ('pause' in message) pause = message.pause;
  if ('ask' in message)
    process.send({
      type: 'answer',
      state: resilience.circuitBreaker('upstream').state,
      calls,
      errors: Object.fromEntries(errors),
      cpu: process.cpuUsage(),
      uptime: performance.now(),
    });
  if ('end' in message) {
    await app.close();
    process.exit(0);
  }
});
process.on('disconnect', () => process.exit(0));
process.send({ type: 'ready' });
void loop();
