import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { etcdMissing } from '../support/servers/etcd-cluster.js';
import { freePort } from '../support/servers/free-port.js';
import { Fleet } from './support/fleet.js';

const SOON = { timeout: 10_000, interval: 100 };
const everywhere = (what: unknown): unknown[] => [what, what, what];

describe.skipIf(etcdMissing())('three shops', () => {
  let fleet: Fleet;

  beforeAll(async () => {
    fleet = await Fleet.start(await freePort());
  }, 300_000);
  afterAll(() => fleet?.stop());

  it('all learn that their provider is down, and that it is back', async () => {
    await fleet.orderEverywhere(6);
    await fleet.post('/upstream', { mode: 'failing' });
    const began = performance.now();
    // The third shop is not asked for anything more: it learns from the two others.
    for (let round = 0; round < 4; round++)
      for (const url of fleet.urls.slice(0, 2))
        await fleet.post('/orders', { items: [{ sku: 'TEAPOT', quantity: 1 }] }, url);

    await expect.poll(() => fleet.states('payments'), SOON).toEqual(everywhere('open'));
    console.log(`three shops open ${Math.round(performance.now() - began)} ms after the provider broke`);
    await fleet.post('/upstream', { mode: 'healthy' });
    await expect
      .poll(
        async () => {
          await fleet.orderEverywhere(1);
          return fleet.states('payments');
        },
        { ...SOON, timeout: 20_000 },
      )
      .toEqual(everywhere('closed'));
  });

  it('all take a rule that is put into etcd', async () => {
    await fleet.putRules({ policies: { payments: { bulkhead: 7 } } });

    await expect
      .poll(async () => (await fleet.plans('PaymentProviderClient', 'bulkhead')).map((one) => one?.['maxConcurrent']), {
        ...SOON,
        timeout: 20_000,
      })
      .toEqual(everywhere(7));
  });

  it('all obey a command, until it is taken back', async () => {
    await fleet.command('open', 'payments', '--reason', 'bank maintenance', '--author', 'ann', '--for', '1m');

    await expect.poll(() => fleet.states('payments'), SOON).toEqual(everywhere('forcedOpen'));
    expect(await fleet.command('list')).toMatch(/payments.*bank maintenance/s);
    await fleet.command('normal', 'payments', '--reason', 'done', '--author', 'ann');
    await expect.poll(() => fleet.states('payments'), SOON).toEqual(everywhere('closed'));
  });

  it('write no error into their log', () => {
    expect(fleet.log).not.toMatch(/ERROR|unhandled/i);
  });
});
