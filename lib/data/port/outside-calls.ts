import { AsyncResource } from 'node:async_hooks';

/** Made when this module is loaded, before any request. */
const root = new AsyncResource('BulwarkData');

/**
 * Begins what may live longer than the call that needed it first: a connection, the opening of a store, a worker, a
 * timer. Begun within the call, it would keep the AsyncLocalStorage store of that call's request alive, and everything
 * that it does later would seem to belong to that request.
 */
export function outsideCalls<T>(work: () => T): T {
  return root.runInAsyncScope(work);
}
