import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../contract/temporary-folder.js';
import { builtCli } from '../sample/support/built-sample.js';
import { cli } from './support/run-cli.js';

beforeAll(async () => {
  await builtCli();
}, 300_000);

describe('the process', () => {
  it('ends with the code of its command, and parts results from messages', async () => {
    const absent = join(await temporaryFolder(), 'absent');

    const [help, wrong, failed] = await Promise.all([
      cli(['--help']),
      cli(['cpoy']),
      cli(['data', 'verify', `file:${absent}`]),
    ]);

    expect(help).toMatchObject({ code: 0, err: '' });
    expect(wrong).toMatchObject({ code: 2, out: '' });
    expect(failed).toEqual({ code: 1, out: '', err: `verify failed: there is no folder or file ${absent}\n` });
  });

  it('stands in the manifest of the package, and can be run as a script', async () => {
    const manifest = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'));
    const entry = await builtCli();

    expect(entry.endsWith(manifest.bin['nestjs-bulwark'].slice(1))).toBe(true);
    expect(await readFile(entry, 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
  });
});
