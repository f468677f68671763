import type { DynamicModule } from '@nestjs/common';
import { join } from 'node:path';
import type { Settings } from '../settings/settings.js';

/**
 * What makes the shop one of several: rules, commands and what breakers know come through etcd, limits of the whole fleet
 * are counted in Redis. Where neither is named, nothing of it is loaded.
 */
export async function fleetOf({ etcdHosts, redisUrl, dataFolder }: Settings): Promise<DynamicModule[]> {
  const modules: DynamicModule[] = [];
  if (etcdHosts !== undefined) {
    const { ResilienceEtcdModule } = await import('nestjs-bulwark/etcd');
    modules.push(
      ResilienceEtcdModule.forRoot({
        hosts: [...etcdHosts],
        prefix: 'shop/',
        rules: true,
        commands: true,
        breakers: 'follow',
        cacheDir: join(dataFolder, 'fleet'),
      }),
    );
  }
  if (redisUrl !== undefined) {
    const { ResilienceRedisModule } = await import('nestjs-bulwark/redis');
    modules.push(ResilienceRedisModule.forRoot({ url: redisUrl }));
  }
  return modules;
}
