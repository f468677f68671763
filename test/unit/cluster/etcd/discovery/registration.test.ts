import { EtcdService } from 'nestjs-bulwark/etcd';
import { describe, expect, it } from 'vitest';
import { FakeEtcd } from '../../../../support/fake-etcd.js';
import { fleetApp } from '../../../../support/fleet-app.js';
import { settle, track } from '../../../../support/settle.js';
import { until } from '../../../../support/until.js';

const stock = (etcd: FakeEtcd, name: string, drain = 0) =>
  fleetApp({
    etcd,
    processName: name,
    options: { discovery: { service: 'stock', address: `http://${name}`, drain } },
  });

describe('a registered process', () => {
  it('is found by the others as long as it lives', async () => {
    const etcd = new FakeEtcd(50);
    const shop = await fleetApp({ etcd });
    const endpoints = shop.module.get(EtcdService).endpoints('stock');
    await stock(etcd, 'stock-1');
    const second = await stock(etcd, 'stock-2');
    await etcd.put('app/endpoints/stock/strange', 'no registration');
    await etcd.put('app/endpoints/stockings/other', '{"address":"http://other"}');
    await settle();
    const both = endpoints.endpoints;

    await second.module.close();
    await settle();

    expect(both).toEqual(['http://stock-1', 'http://stock-2']);
    expect(endpoints.endpoints).toEqual(['http://stock-1']);
    expect(shop.module.get(EtcdService).endpoints('stock')).toBe(endpoints);
  });

  it('is registered again under a new lease when etcd has lost the one before', async () => {
    const etcd = new FakeEtcd(50);
    await fleetApp({
      etcd,
      options: { ttl: 1, discovery: { service: 'stock', address: 'http://a', drain: 0 } },
    });
    await settle();
    const lost = await etcd.get('app/endpoints/stock/shop-1');

    etcd.expire(lost?.lease as string);

    await until('the next', async () => {
      const found = await etcd.get('app/endpoints/stock/shop-1');
      return found !== undefined && found.lease !== lost?.lease;
    });
  });

  it('is taken out before the app closes, and serves on for a moment', async () => {
    const etcd = new FakeEtcd(50);
    const { module } = await stock(etcd, 'stock-1', 200);
    await settle();

    const closing = track(module.close());
    await until('it is taken out', async () => (await etcd.get('app/endpoints/stock/stock-1')) === undefined);
    const afterwards = closing.status;
    await until('it has closed', () => closing.status !== 'pending');

    expect([afterwards, closing.status]).toEqual(['pending', 'fulfilled']);
  });

  it('starts without etcd, and is registered when that is back', async () => {
    const etcd = new FakeEtcd(50);
    etcd.away = 'refuses';
    const member = await stock(etcd, 'stock-1');
    const endpoints = member.module.get(EtcdService).endpoints('stock');
    const missing = track(endpoints.run((endpoint) => endpoint));
    await until('an answer', () => missing.status !== 'pending');

    etcd.away = undefined;

    expect(missing.outcome).toMatchObject({ code: 'NO_ENDPOINT' });
    await until('it is found', () => endpoints.endpoints.length === 1);
  });
});
