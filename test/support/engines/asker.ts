import { AsyncLocalStorage } from 'node:async_hooks';

/** The number of the call in whose async context the running code is; it must survive every wait. */
export const asker = new AsyncLocalStorage<number>();
