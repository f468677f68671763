/**
 * The parts for several processes, which test/pack/run.mjs compiles and runs once etcd3 and ioredis are installed. Neither
 * etcd nor Redis is there: an app starts and closes all the same.
 */
import 'reflect-metadata';
import { rejects, strictEqual } from 'node:assert/strict';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { RateLimit, ResilienceModule, Signal } from 'nestjs-bulwark';
import {
  EndpointSet,
  EtcdService,
  LeaderOnly,
  NoEndpointError,
  ResilienceEtcdModule,
  etcdData,
} from 'nestjs-bulwark/etcd';
import { ResilienceRedisModule } from 'nestjs-bulwark/redis';

/** Nobody listens there. */
const NOWHERE = '127.0.0.1:1';

@Injectable()
class Reports {
  readonly stock: EndpointSet;
  written = 0;

  constructor(etcd: EtcdService) {
    this.stock = etcd.endpoints('stock');
  }

  @LeaderOnly('reports')
  async write(@Signal() signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    this.written += 1;
  }

  @RateLimit({ limit: 1, per: 60_000, scope: 'cluster' })
  async locate(address: string): Promise<string> {
    return address;
  }
}

@Module({
  imports: [
    ResilienceModule.forRoot({ log: false }),
    ResilienceEtcdModule.forRoot({
      hosts: `http://${NOWHERE}`,
      timeout: 300,
      rules: true,
      commands: true,
      breakers: 'follow',
    }),
    ResilienceRedisModule.forRoot({ url: `redis://${NOWHERE}` }),
  ],
  providers: [Reports],
})
class ClusterModule {}

async function main(): Promise<void> {
  const app = await NestFactory.createApplicationContext(ClusterModule, { logger: false });
  const reports = app.get(Reports);
  try {
    strictEqual(await reports.locate('here'), 'here');
    await rejects(reports.locate('there'), { code: 'RATE_LIMITED' });
    await reports.write();
    strictEqual(reports.written, 0, 'nobody leads without etcd');
    await rejects(
      reports.stock.run((address) => address),
      NoEndpointError,
    );
    strictEqual(await EndpointSet.of(['http://a']).run((address) => address), 'http://a');
    strictEqual(typeof etcdData({ hosts: `http://${NOWHERE}` }).useFactory, 'function');
  } finally {
    await app.close();
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
