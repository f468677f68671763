import * as fs from 'node:fs';
import * as promises from 'node:fs/promises';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FileWatch } from '../../../../lib/module/rules/file-watch.js';
import { until } from '../../../support/until.js';

vi.mock('node:fs', async (load) => {
  const real = await load<typeof fs>();
  return { ...real, watch: vi.fn(real.watch) };
});
vi.mock('node:fs/promises', async (load) => {
  const real = await load<typeof promises>();
  return { ...real, statfs: vi.fn(real.statfs) };
});

let folder: string;
let watch: FileWatch;
const changed = vi.fn();
const lost = vi.fn();

beforeEach(async () => {
  vi.clearAllMocks();
  folder = await mkdtemp(join(tmpdir(), 'bulwark-watch-'));
  await writeFile(join(folder, 'rules.json'), '{}');
  watch = new FileWatch(join(folder, 'rules.json'), changed, lost);
});
afterEach(async () => {
  watch.close();
  await rm(folder, { recursive: true });
});

async function seesAChange(): Promise<void> {
  await until('a change is seen', () => changed.mock.calls.length > 0);
  changed.mockClear();
  await writeFile(join(folder, 'rules.json'), '{ "version": 1 }');
  await until('a change is seen', () => changed.mock.calls.length > 0);
}

describe('FileWatch', () => {
  it('looks at the file, and says so, where the system has no watch left', async () => {
    const error = Object.assign(new Error('no space left for watchers'), { code: 'ENOSPC' });
    vi.mocked(fs.watch).mockImplementationOnce(() => {
      throw error;
    });

    watch.start();

    expect(lost).toHaveBeenCalledExactlyOnceWith(error);
    await seesAChange();
  });

  it('says that changes are seen later on a network mount', async () => {
    vi.mocked(promises.statfs).mockResolvedValueOnce({ type: 0x6969 } as never);

    watch.start();

    await until('the watch is lost', () => lost.mock.calls.length > 0);
    expect(String(lost.mock.calls[0])).toContain('network mount');
    await seesAChange();
    expect(lost).toHaveBeenCalledOnce();
  });

  it('says nothing where there is a watch', async () => {
    watch.start();

    await seesAChange();

    expect(lost).not.toHaveBeenCalled();
  });
});
