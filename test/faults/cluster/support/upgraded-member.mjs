/**
 * One process of a fleet for rolling-upgrade.test.ts, of the version whose compiled library it is given: it does what its
 * parent says, and tells it what it has logged.
 */
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { pathToFileURL } from 'node:url';

const { library, etcd, policies } = JSON.parse(process.argv[2]);
const { ResilienceModule, ResilienceService } = await import(pathToFileURL(`${library}/index.js`).href);
const { EtcdService, ResilienceEtcdModule } = await import(pathToFileURL(`${library}/cluster/etcd/index.js`).href);

class AppModule {}
Module({ imports: [ResilienceModule.forRoot({ policies }), ResilienceEtcdModule.forRoot(etcd)] })(AppModule);

const lines = [];
const write = (level) => (text) => void lines.push(`${level} ${text}`);
const logger = { log: () => undefined, warn: write('warn'), error: write('error') };
const app = await NestFactory.createApplicationContext(AppModule, { logger });
const resilience = app.get(ResilienceService);
const stock = app.get(EtcdService).endpoints('stock');

const failing = () => Promise.reject(new Error('boom'));
const deeds = {
  look: (names) => ({
    lines,
    endpoints: [...stock.endpoints],
    states: names.map((name) => resilience.circuitBreaker(name).state),
    timeout: resilience.rules.current?.policies?.first?.timeout,
  }),
  /** Calls a breaker: as often as it takes to open it, or once. */
  call: async ({ name, fails }) => {
    for (let i = 0; i < (fails ? 10 : 1); i++)
      await resilience.execute(name, fails ? failing : async () => 'fine').catch(() => undefined);
  },
  command: ({ name, ...options }) => app.get(EtcdService).command(name, options),
  end: () => app.close(),
};

process.on('message', async ({ deed, given }) => {
  const answer = await Promise.resolve()
    .then(() => deeds[deed](given))
    .then(
      (done) => ({ done }),
      (error) => ({ error: String(error?.stack) }),
    );
  process.send(answer, () => deed === 'end' && process.exit(0));
});
process.on('disconnect', () => process.exit(0));
process.send('ready');
