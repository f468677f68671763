import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import { FileDataService } from 'nestjs-bulwark/data';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { temporaryFolder } from '../../../contract/temporary-folder.js';

const unhandled: unknown[] = [];
const onUnhandled = (error: unknown): void => void unhandled.push(error);
const warnings: string[] = [];
beforeEach(() => {
  unhandled.length = warnings.length = 0;
  vi.spyOn(Logger.prototype, 'warn').mockImplementation((line: unknown) => void warnings.push(String(line)));
  process.on('unhandledRejection', onUnhandled);
});
afterEach(() => {
  vi.restoreAllMocks();
  process.off('unhandledRejection', onUnhandled);
});

const failing: Record<string, () => unknown> = {
  // prettier-ignore
  'throws': () => { throw new Error('faulty'); }, // prettier-ignore
  'gives a promise that rejects': async () => Promise.reject(new Error('faulty')),
};
const harmless: Record<string, () => unknown> = { 'hangs': () => new Promise<void>(() => undefined), 'gives rubbish': () => Symbol('x') }; // prettier-ignore

/** A backup, its restoration and two verifications, all with one listener. */
async function workWith(onProgress: () => void): Promise<void> {
  const folder = await temporaryFolder();
  const data = await FileDataService.open({ path: join(folder, 'a') });
  await data.put('a', 1);
  await data.backup(join(folder, 'backup'), { onProgress });
  await data.close();
  await FileDataService.restore(join(folder, 'backup'), join(folder, 'b'), { onProgress });
  expect((await FileDataService.verify(join(folder, 'b'), { onProgress })).keys).toBe(1);
  expect((await FileDataService.verify(join(folder, 'backup'), { onProgress })).keys).toBe(1);
  await new Promise((resolve) => setImmediate(resolve));
}

describe('onProgress', () => {
  it.each(Object.entries(failing))('that %s is one warning, and the work is done', async (_, onProgress) => {
    await workWith(onProgress);

    expect(unhandled).toEqual([]);
    expect(warnings.length).toBe(4);
    expect(new Set(warnings)).toEqual(new Set(['onProgress failed, the work goes on: faulty']));
  });

  it.each(Object.entries(harmless))('that %s changes nothing', async (_, onProgress) => {
    await workWith(onProgress);

    expect(unhandled).toEqual([]);
    expect(warnings).toEqual([]);
  });

  it('that is no function is an error before anything is read', async () => {
    await expect(FileDataService.verify('/nowhere', { onProgress: 5 as never })).rejects.toThrow(
      "option 'onProgress' is 5; expected a function",
    );
  });
});
