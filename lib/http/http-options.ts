import type { FactoryProvider, ModuleMetadata, Provider, Type } from '@nestjs/common';

/**
 * What `HttpModule.register()` of @nestjs/axios takes: the options of axios, and `global`. The names below are checked, all others
 * go on to axios as they are; `{ ... } satisfies HttpModuleOptions` checks those too.
 *
 * The types of @nestjs/axios itself would be missing for an app that has `resilientFetch` alone.
 *
 * @publicApi
 */
export interface HttpOptions {
  baseURL?: string;
  /** ms. A guarded call ends its requests without it. */
  timeout?: number;
  headers?: object;
  params?: unknown;
  auth?: { username: string; password: string };
  maxRedirects?: number;
  httpAgent?: unknown;
  httpsAgent?: unknown;
  validateStatus?: ((status: number) => boolean) | null;
  /** Whether other modules have `HttpService` without an import. */
  global?: boolean;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- `unknown` would refuse what is declared as an interface: axios's own
  [option: string]: any;
}

/** A class that gives {@link HttpOptions}. */
export interface HttpOptionsFactory {
  createHttpOptions(): Promise<HttpOptions> | HttpOptions;
}

/** What `HttpModule.registerAsync()` takes. */
export interface HttpAsyncOptions extends Pick<ModuleMetadata, 'imports'> {
  useExisting?: Type<HttpOptionsFactory>;
  useClass?: Type<HttpOptionsFactory>;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- `inject` says what they are, and no type knows of it
  useFactory?: (...args: any[]) => Promise<HttpOptions> | HttpOptions;
  inject?: FactoryProvider['inject'];
  extraProviders?: Provider[];
  global?: boolean;
}
