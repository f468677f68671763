export type { HttpAsyncOptions, HttpOptions, HttpOptionsFactory } from './http-options.js';
export { ResilienceHttpModule } from './resilience-http.module.js';
export { resilientFetch, type ResilientFetchInit } from './resilient-fetch.js';
export { UpstreamHttpError } from './upstream-http.error.js';
