import { setTimeout as delay } from 'node:timers/promises';
import { DataOwnedException } from '../port/errors.js';

/** Folders that services of this process own or claim; the promise resolves when one that is closing has been given back. */
const folders = new Map<string, { closed: Promise<void> | undefined; end: () => void }>();

/**
 * Enters a folder for this process: of two that open one at the same moment, exactly one gets it. One that is closing is
 * waited for.
 *
 * @param patience how long, in ms.
 * @throws DataOwnedException
 */
export async function enterHere(folder: string, patience: number): Promise<void> {
  const closed = folders.get(folder)?.closed;
  if (closed !== undefined) {
    const controller = new AbortController();
    const late = delay(patience, undefined, { signal: controller.signal }).catch(() => undefined);
    await Promise.race([closed, late]);
    controller.abort();
  }
  if (folders.has(folder)) {
    throw new DataOwnedException(
      `The data folder ${folder} is in use by a service of this process (pid ${process.pid}); ` +
        'expected a folder that no other service has open',
    );
  }
  folders.set(folder, { closed: undefined, end: () => undefined });
}

/** The folder will be given back. */
export function closingHere(folder: string): void {
  const place = folders.get(folder);
  if (place === undefined || place.closed !== undefined) return;
  place.closed = new Promise((resolve) => (place.end = resolve));
}

export function leaveHere(folder: string): void {
  const place = folders.get(folder);
  folders.delete(folder);
  place?.end();
}
