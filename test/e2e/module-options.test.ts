import { ResilienceConfigurationError, ResilienceModule } from 'nestjs-bulwark';
import { ResilienceDashboardModule } from 'nestjs-bulwark/dashboard';
import { ResilienceEtcdModule } from 'nestjs-bulwark/etcd';
import { ResilienceHealthModule } from 'nestjs-bulwark/health';
import { ResilienceHttpModule } from 'nestjs-bulwark/http';
import { ResilienceMetricsModule } from 'nestjs-bulwark/metrics';
import { ResilienceClientsModule } from 'nestjs-bulwark/microservices';
import { ResilienceTelemetryModule } from 'nestjs-bulwark/otel';
import { ResilienceRedisModule } from 'nestjs-bulwark/redis';
import type { DynamicModule, ModuleMetadata, Type } from '@nestjs/common';
import { Transport } from '@nestjs/microservices';
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

describe.each(Object.keys(MODULES).filter((name) => name !== 'ResilienceModule'))('%s', (name) => {
  const module = MODULES[name] as unknown as Type & Made;

  it('says that it needs the root module', async () => {
    const options = name === 'ResilienceRedisModule' ? { url: 'redis://127.0.0.1' } : { hosts: ['http://127.0.0.1'] };
    const given = NEEDS_NONE.includes(name) ? {} : options;

    const { message } = await startUpError({ imports: [module.forRoot(given)] });

    expect(message).toMatch(
      new RegExp(`^${name}: there is no ResilienceModule whose .*; expected ResilienceModule.forRoot`),
    );
  });
});

it.each(Object.keys(MODULES).filter((name) => name !== 'ResilienceHealthModule'))(
  '%s says that it needs forRoot(), where it is imported as it is',
  async (name) => {
    const module = MODULES[name] as unknown as Type;

    const { message } = await startUpError({
      imports: name === 'ResilienceModule' ? [module] : [ResilienceModule.forRoot(), module],
    });

    expect(message).toBe(
      `${name}: is imported as it is, without options; expected ${name}.forRoot() or forRootAsync() among the imports of the app`,
    );
  },
);

it.each<[string, () => ModuleMetadata['imports'] & object]>([
  ['ResilienceHealthModule', () => [ResilienceHealthModule]],
  ['ResilienceHttpModule', () => [ResilienceHttpModule.register()]],
  ['ResilienceClientsModule', () => [ResilienceClientsModule.register([{ name: 'RATES', transport: Transport.TCP }])]],
])('%s says that it needs the root module', async (name, imports) => {
  const { message } = await startUpError({ imports: imports() });

  expect(message).toMatch(new RegExp(`^${name}: there is no ResilienceModule whose`));
});

it.each([
  ['ResilienceModule', { polices: {} }, 'policies', 'rules, dataService'],
  ['ResilienceMetricsModule', { guard: [] }, 'guards', 'path, guards, imports'],
  [
    'ResilienceDashboardModule',
    { guard: [] },
    'guards',
    'path, guards, actionGuards, decorators, imports, allowedOrigins',
  ],
  ['ResilienceDashboardModule', { allowedOrigin: [] }, 'allowedOrigins', 'path, guards'],
  ['ResilienceTelemetryModule', { span: false }, 'spans', 'spans'],
  ['ResilienceHealthModule', { dow: [] }, 'down', 'down'],
  ['ResilienceRedisModule', { ulr: '' }, 'url', 'url, client'],
  ['ResilienceEtcdModule', { host: [] }, 'hosts', 'hosts'],
])('%s says of %j what comes near, and all that there is', async (name, options, near, listed) => {
  const { message } = await startUpError(started(name, (MODULES[name] as Made).forRoot(options)));

  expect(message).toContain(`did you mean '${near}'?`);
  expect(message).toContain(listed);
});

it.each([
  ['ResilienceModule', { dataServic: {} }, 'dataService'],
  ['ResilienceMetricsModule', { guard: [] }, 'guards'],
  ['ResilienceDashboardModule', { actionGuard: [] }, 'actionGuards'],
  ['ResilienceTelemetryModule', { inects: [] }, 'inject'],
])('%s says of %j that it cannot stand beside a factory', (name, options, near) => {
  const message = thrownBy(() => (MODULES[name] as Made).forRootAsync({ useFactory: () => ({}), ...options }));

  expect(message).toContain(
    `${name}.forRootAsync: option '${Object.keys(options)[0]}' cannot stand beside the factory`,
  );
  expect(message).toContain(`did you mean '${near}'?`);
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
