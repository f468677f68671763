import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import {
  ClientProxy,
  ClientsModule,
  type ClientsModuleAsyncOptions,
  type ClientsModuleOptions,
} from '@nestjs/microservices';
import { instanceOf } from '../errors/foreign.js';
import { noRuntime } from '../module/no-runtime.js';
import type { Runtime } from '../module/runtime/runtime.js';
import { RUNTIME } from '../module/tokens.js';
import { resilientClient } from './resilient-client.js';

const NEEDS_CALLS = Symbol('nestjs-bulwark:microservices');

/**
 * `ClientsModule` of @nestjs/microservices whose clients know the running guarded call, as {@link resilientClient} says. Put
 * it in the place of `ClientsModule`.
 *
 * @example
 * @Module({ imports: [ResilienceClientsModule.register([{ name: 'RATES', transport: Transport.NATS }])] })
 *
 * @publicApi
 */
@Module({})
export class ResilienceClientsModule {
  /** @param options those of `ClientsModule.register()`. */
  static register(options: ClientsModuleOptions): DynamicModule {
    return around(ClientsModule.register(options));
  }

  /** @param options those of `ClientsModule.registerAsync()`. */
  static registerAsync(options: ClientsModuleAsyncOptions): DynamicModule {
    return around(ClientsModule.registerAsync(options));
  }
}

function around({ providers = [], exports = [], ...clients }: DynamicModule): DynamicModule {
  const attached = new Map(providers.map((provider) => [provider, withAttached(provider)]));
  return {
    ...clients,
    module: ResilienceClientsModule,
    providers: [
      ...attached.values(),
      { provide: NEEDS_CALLS, inject: [{ token: RUNTIME, optional: true }], useFactory: needCalls },
    ],
    exports: exports.map((one) => attached.get(one as Provider) ?? one),
  };
}

/** Clients are attached before anything can be injected with them: a service of gRPC may be asked for at once. */
function withAttached(provider: Provider): Provider {
  if ('useValue' in provider) return { ...provider, useValue: attach(provider.useValue) };
  if (!('useFactory' in provider)) return provider;
  const { useFactory } = provider;
  return { ...provider, useFactory: async (...args: unknown[]) => attach(await useFactory(...args)) };
}

/** `registerAsync` has providers that are no clients. */
function attach(value: unknown): unknown {
  return instanceOf(value, ClientProxy) ? resilientClient(value) : value;
}

/** Without `callContext` nobody knows the running call: then the app does not start. The options may come later than this. */
function needCalls(runtime: unknown): true {
  if (runtime === undefined) throw noRuntime('ResilienceClientsModule', 'whose running calls could be handed on');
  (runtime as Runtime).environment.callContextFor = 'ResilienceClientsModule';
  return true;
}
