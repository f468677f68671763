import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { ShutdownException } from 'nestjs-bulwark';
import { EtcdService, type EndpointSet } from 'nestjs-bulwark/etcd';
import { describe, expect, it } from 'vitest';
import { FakeEtcd } from '../../../support/fake-etcd.js';
import { fleetApp } from '../../../support/fleet-app.js';
import { settle } from '../../../support/settle.js';

describe('endpoints that a provider asks for as it is made', () => {
  it('are looked for when the app starts, and no sooner', async () => {
    const etcd = new FakeEtcd(50);
    etcd.write('app/endpoints/stock/one', '{"address":"http://one"}');
    const watches: number[] = [];
    @Injectable()
    class Shop implements OnModuleInit {
      readonly stock: EndpointSet;
      constructor(@Inject(EtcdService) service: EtcdService) {
        this.stock = service.endpoints('stock');
      }
      async onModuleInit(): Promise<void> {
        await settle();
        watches.push(etcd.watches, this.stock.endpoints.length);
      }
    }

    const { module } = await fleetApp({ etcd, providers: [Shop] });
    await settle();

    expect(watches).toEqual([0, 0]);
    expect(etcd.watches).toBe(1);
    expect(module.get(Shop).stock.endpoints).toEqual(['http://one']);
  });

  it('are there for a call that comes before the app has started', async () => {
    const etcd = new FakeEtcd(50);
    etcd.write('app/endpoints/stock/one', '{"address":"http://one"}');
    @Injectable()
    class Shop implements OnModuleInit {
      found: string | undefined;
      constructor(@Inject(EtcdService) private readonly service: EtcdService) {}
      async onModuleInit(): Promise<void> {
        this.found = await this.service.endpoints('stock').run((endpoint) => endpoint);
      }
    }

    const { module } = await fleetApp({ etcd, providers: [Shop] });

    expect(module.get(Shop).found).toBe('http://one');
  });
});

describe('an app that has ended', () => {
  it('looks for no endpoints any more', async () => {
    const etcd = new FakeEtcd(50);
    const { module } = await fleetApp({ etcd });
    const service = module.get(EtcdService);
    const known = service.endpoints('stock');
    await module.close();

    expect(() => service.endpoints('rates')).toThrow(ShutdownException);
    expect(service.endpoints('stock')).toBe(known);
    await expect(known.run((endpoint) => endpoint)).rejects.toMatchObject({ code: 'NO_ENDPOINT' });
    await settle();
    expect(etcd.watches).toBe(0);
  });

  it('ends at once each watch that is begun', async () => {
    const etcd = new FakeEtcd(50);
    const { module } = await fleetApp({ etcd });
    etcd.write('app/jobs/1', 'one');
    const service = module.get(EtcdService);
    await module.close();

    expect(await service.watch('jobs/').next()).toEqual({ done: true, value: undefined });
    expect(etcd.watches).toBe(0);
  });
});
