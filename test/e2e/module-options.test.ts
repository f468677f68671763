import { ResilienceConfigurationError, ResilienceModule } from 'nestjs-bulwark';
import { ResilienceDashboardModule } from 'nestjs-bulwark/dashboard';
import { ResilienceEtcdModule } from 'nestjs-bulwark/etcd';
import { ResilienceHealthModule } from 'nestjs-bulwark/health';
import { ResilienceMetricsModule } from 'nestjs-bulwark/metrics';
import { ResilienceTelemetryModule } from 'nestjs-bulwark/otel';
import { ResilienceRedisModule } from 'nestjs-bulwark/redis';
import type { DynamicModule } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { initialise, startUpError } from './support/harness.js';

type Make = (options?: unknown) => DynamicModule;
type Made = Record<'forRoot' | 'forRootAsync', Make>;

const MODULES = {
  ResilienceModule,
  ResilienceMetricsModule,
  ResilienceTelemetryModule,
  ResilienceHealthModule,
  ResilienceDashboardModule,
  ResilienceRedisModule,
  ResilienceEtcdModule,
} as unknown as Readonly<Record<string, Made>>;
const NEEDS_NONE = Object.keys(MODULES).filter((name) => !/Redis|Etcd/.test(name));

const started = (name: string, dynamic: DynamicModule) => ({
  imports: name === 'ResilienceModule' ? [dynamic] : [ResilienceModule.forRoot(), dynamic],
});

describe.each(Object.entries(MODULES))('%s', (name, module) => {
  it.each([[null], [5], ['x'], [[]]])('says what it expects where forRoot() is given %j', (wrong) => {
    expect(thrownBy(() => module.forRoot(wrong))).toMatch(
      new RegExp(`^${name}\\.forRoot: expected an options object, got `),
    );
  });

  it.each([[undefined], [null], [5], [{}]])('says what it expects where forRootAsync() is given %j', (wrong) => {
    expect(thrownBy(() => module.forRootAsync(wrong))).toMatch(
      new RegExp(`^${name}\\.forRootAsync: expected .*useFactory, useClass or useExisting, got `),
    );
  });
});

it.each(NEEDS_NONE)('%s starts with forRoot() bare', async (name) => {
  const dynamic = (MODULES[name] as Made).forRoot();

  await expect(initialise(started(name, dynamic))).resolves.toBeDefined();
});

it.each([
  ['ResilienceRedisModule', 'url'],
  ['ResilienceEtcdModule', 'hosts'],
])('%s says that it needs %s', async (name, option) => {
  expect((await startUpError(started(name, (MODULES[name] as Made).forRoot()))).message).toContain(option);
});

function thrownBy(make: () => unknown): string {
  try {
    make();
  } catch (error) {
    expect(error).toBeInstanceOf(ResilienceConfigurationError);
    return (error as Error).message;
  }
  throw new Error('nothing was thrown');
}
