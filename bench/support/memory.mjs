import { createHook } from 'node:async_hooks';
import { setImmediate as turn } from 'node:timers/promises';
import { GCProfiler } from 'node:v8';

/** Bytes in use after everything collectable has gone: the heap and the buffers outside it. */
export async function usedBytes() {
  for (let time = 0; time < 3; time++) {
    await turn();
    globalThis.gc();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/**
 * What `run` allocates on the heap: how much the heap grows from each garbage collection to the next, summed up. V8 tells
 * what is in use before and after each of them, so nothing is sampled, and no flag changes what is measured.
 */
export async function allocatedBytes(run) {
  const profiler = new GCProfiler();
  profiler.start();
  let used = process.memoryUsage().heapUsed;
  await run();
  const usedAtEnd = process.memoryUsage().heapUsed;
  let allocated = 0;
  for (const { beforeGC, afterGC } of profiler.stop().statistics) {
    allocated += beforeGC.heapStatistics.usedHeapSize - used;
    used = afterGC.heapStatistics.usedHeapSize;
  }
  return allocated + usedAtEnd - used;
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
