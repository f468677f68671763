import type { HttpService } from '@nestjs/axios';
import { Module, type DynamicModule } from '@nestjs/common';
import { propertyOf } from '../errors/foreign.js';
import { noRuntime } from '../module/no-runtime.js';
import type { Runtime } from '../module/runtime/runtime.js';
import { RUNTIME } from '../module/tokens.js';
import { outgoing, type Outgoing } from '../pipeline/outgoing.js';
import type { HttpAsyncOptions, HttpOptions } from './http-options.js';

const ATTACHED = Symbol('nestjs-bulwark:http');

/**
 * `HttpModule` of @nestjs/axios whose `HttpService` knows the running guarded call, as {@link resilientFetch} does: its signal,
 * the time left, the attempt and the key of a repetition go with each request. Put it in the place of `HttpModule`.
 *
 * @example
 * @Module({ imports: [ResilienceHttpModule.register({ baseURL: 'https://rates.example' })] })
 *
 * @publicApi
 */
@Module({})
export class ResilienceHttpModule {
  /**
   * @param config that of axios.
   * @throws (as a rejection) where @nestjs/axios and axios are not installed.
   */
  static async register(config: HttpOptions = {}): Promise<DynamicModule> {
    const { HttpModule, HttpService } = await import('@nestjs/axios');
    return around(HttpModule.register(config), HttpModule, HttpService);
  }

  /** As `HttpModule.registerAsync()`. */
  static async registerAsync(options: HttpAsyncOptions): Promise<DynamicModule> {
    const { HttpModule, HttpService } = await import('@nestjs/axios');
    return around(HttpModule.registerAsync(options), HttpModule, HttpService);
  }
}

type Token = abstract new (...args: never[]) => unknown;

function around(http: DynamicModule, module: Token, service: Token): DynamicModule {
  return {
    module: ResilienceHttpModule,
    imports: [http],
    providers: [{ provide: ATTACHED, inject: [service, { token: RUNTIME, optional: true }], useFactory: attach }],
    exports: [module as never],
  };
}

/** Without `callContext` nobody knows the running call: then the app does not start. */
function attach(http: HttpService, runtime: unknown): true {
  if (runtime === undefined) throw noRuntime('ResilienceHttpModule', 'whose running calls could be handed on');
  const calls = new WeakMap<object, Outgoing>();
  http.axiosRef.interceptors.request.use((config) => {
    const call = outgoing();
    if (call === undefined) return config;
    // A request has its headers for itself, and hands them on to its answer.
    calls.set(config.headers, call);
    for (const [name, value] of Object.entries(call.headers))
      if (!config.headers.has(name)) config.headers.set(name, value);
    const own = config.signal as AbortSignal | undefined;
    return { ...config, signal: own === undefined ? call.signal : AbortSignal.any([own, call.signal]) };
  });
  http.axiosRef.interceptors.response.use(undefined, (error: unknown) => {
    const headers = propertyOf(propertyOf(error, 'config'), 'headers');
    const failed = propertyOf(error, 'response') !== undefined && typeof headers === 'object' && headers !== null;
    throw (failed ? calls.get(headers)?.instead() : undefined) ?? error;
  });
  // The options may come later than this.
  (runtime as Runtime).environment.callContextFor = 'ResilienceHttpModule';
  return true;
}
