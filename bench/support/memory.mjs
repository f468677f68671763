import { createHook } from 'node:async_hooks';
import { setImmediate as turn } from 'node:timers/promises';

/** Bytes in use after everything collectable has gone: the heap and the buffers outside it. */
export async function usedBytes() {
  for (let time = 0; time < 3; time++) {
    await turn();
    globalThis.gc();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Counts pending timers from now on, unref'd ones included; `process.getActiveResourcesInfo()` omits those. */
export function countTimers() {
  const pending = new Set();
  createHook({
    init: (id, type) => {
      if (type === 'Timeout') pending.add(id);
    },
    destroy: (id) => {
      pending.delete(id);
    },
  }).enable();
  return () => pending.size;
}
