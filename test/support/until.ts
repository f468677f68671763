import { setTimeout as delay } from 'node:timers/promises';

/** Waits until something outside this process is so. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>, ms = 30_000): Promise<void> {
  const end = performance.now() + ms;
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error(`expected within ${ms} ms: ${what}`);
    await delay(20);
  }
}
