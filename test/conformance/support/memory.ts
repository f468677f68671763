import { createHook } from 'node:async_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Whether nothing holds on to the object any more. */
export async function isCollected(reference: WeakRef<object>): Promise<boolean> {
  for (let round = 0; round < 10; round++) {
    // A WeakRef keeps its target until the turn of the event loop is over.
    await new Promise((resolve) => setImmediate(resolve));
    collectGarbage();
    if (reference.deref() === undefined) return true;
  }
  return false;
}

/** Bytes in use, typed arrays included. */
export function usedBytes(): number {
  for (let round = 0; round < 3; round++) collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** How many timers `work` makes, unref'd ones included. */
export async function timersMadeBy(work: () => unknown): Promise<number> {
  let made = 0;
  const hook = createHook({
    init: (_id, type) => {
      if (type === 'Timeout') made++;
    },
  });
  hook.enable();
  await work();
  hook.disable();
  return made;
}
