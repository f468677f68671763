import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Progress, withProgress } from '../../../../lib/cli/data/progress.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function recorder(isTTY: boolean): { written: string[]; write: (text: string) => void; isTTY: boolean } {
  const written: string[] = [];
  return { written, write: (text) => void written.push(text), isTTY };
}

describe('progress', () => {
  it('is a line every five seconds, where nobody looks', () => {
    const err = recorder(false);
    const progress = new Progress(err, 'copying', 'writes');

    for (let count = 0; count < 2_000; count++) progress.add(1024);
    vi.advanceTimersByTime(10_500);
    progress.end();
    vi.advanceTimersByTime(10_000);

    expect(err.written).toEqual(['copying: 2,000 writes, 2.0 MiB, 400/s\n', 'copying: 2,000 writes, 2.0 MiB, 200/s\n']);
  });

  it('is one line that is drawn anew and taken away, on a terminal', async () => {
    const err = recorder(true);
    const progress = new Progress(err, 'reading', 'keys');

    const work = withProgress(progress, async () => {
      progress.add(100);
      await vi.advanceTimersByTimeAsync(450);
      throw new Error('gone');
    });

    await expect(work).rejects.toThrow('gone');
    expect(err.written).toEqual([
      '\r\x1b[Kreading: 1 keys, 100 bytes, 5/s',
      '\r\x1b[Kreading: 1 keys, 100 bytes, 3/s',
      '\r\x1b[K',
    ]);
    expect(vi.getTimerCount()).toBe(0);
  });
});
