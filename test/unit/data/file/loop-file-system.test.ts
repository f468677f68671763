import { join } from 'node:path';
import { FileDataService } from 'nestjs-bulwark/data';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { loopFileSystem } from '../../../../lib/data/file/loop-file-system.js';
import { temporaryFolder } from '../../../contract/temporary-folder.js';

async function openFile() {
  const file = await loopFileSystem().open(join(await temporaryFolder(), 'file'), 'create');
  return { file, close: () => file.close() };
}

/** How many microtasks it takes, at most `most`. */
async function microtasks(work: Promise<unknown>, most: number): Promise<number> {
  let done = false;
  void work.then(() => (done = true));
  for (let count = 0; count < most; count++) {
    if (done) return count;
    await Promise.resolve();
  }
  return most;
}

describe('loopFileSystem()', () => {
  it('has synced a file before another event comes', async () => {
    const { file, close } = await openFile();
    onTestFinished(close);
    file.writeNow(Buffer.from('abc'), 0, 3, 0);

    expect(await microtasks(file.sync('commit'), 20)).toBeLessThan(20);
  });

  it('leaves the sync to a thread, when the turn of the loop has lasted 10 ms', async () => {
    const { file, close } = await openFile();
    onTestFinished(close);
    const now = vi.spyOn(performance, 'now').mockReturnValue(1_000);
    onTestFinished(() => void now.mockRestore());
    await file.sync('commit');
    now.mockReturnValue(1_009.9);
    expect(await microtasks(file.sync('commit'), 20)).toBeLessThan(20);

    now.mockReturnValue(1_010);
    const onThread = file.sync('commit');

    expect(await microtasks(onThread, 20)).toBe(20);
    await onThread;
    // The loop has turned meanwhile.
    expect(await microtasks(file.sync('commit'), 20)).toBeLessThan(20);
  });

  it('leaves what is more than a commit to a thread', async () => {
    const { file, close } = await openFile();
    onTestFinished(close);
    const onThread = file.sync('snapshot-content');

    expect(await microtasks(onThread, 20)).toBe(20);
    await onThread;
  });

  it('rejects where the disk does not hold it', async () => {
    const { file } = await openFile();
    await file.close();

    await expect(file.sync('commit')).rejects.toThrow('EBADF');
  });
});

describe("fileData({ syncOn: 'loop' })", () => {
  it('gives timers their turn, while one value is written after the other', async () => {
    const data = await FileDataService.open({ path: await temporaryFolder(), syncOn: 'loop' });
    onTestFinished(() => data.close());
    let turned = false;
    const timer = setTimeout(() => (turned = true), 1);
    onTestFinished(() => clearTimeout(timer));

    // A microtask after the other: without a turn this goes on to the end.
    let written = 0;
    while (!turned && written < 1_000_000) await data.put('key', written++);

    expect(turned).toBe(true);
    expect(await data.get('key')).toBe(written - 1);
  });
});
