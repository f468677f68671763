import { execFile } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import ts from 'typescript';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../contract/temporary-folder.js';
import { compileLib } from '../support/compiled-lib.js';
import { mysqlServer, postgresServer } from '../support/servers/shared-servers.js';

it('no data service keeps the store of a request alive, whatever it opens in one', { timeout: 60_000 }, async () => {
  const servers = (await Promise.all([mysqlServer(), postgresServer()])).filter(({ missing }) => missing === undefined);
  const [lib, folder] = [await temporaryFolder(), await temporaryFolder()];
  await compileLib(lib);
  const scene = await readFile(new URL('./data-context.scene.ts', import.meta.url), 'utf8');
  const { outputText } = ts.transpileModule(scene, {
    compilerOptions: { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext },
  });
  await writeFile(join(lib, 'scene.js'), outputText.replaceAll("'../../lib/", "'./"));

  const args = ['--expose-gc', join(lib, 'scene.js'), folder, ...servers.map(({ url }) => url)];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: 50_000 });
  const alive = JSON.parse(stdout) as Record<string, number>;
  await rm(lib, { recursive: true, force: true });

  expect(Object.keys(alive).length).toBe(4 + servers.length);
  expect(alive).toEqual(Object.fromEntries(Object.keys(alive).map((situation) => [situation, 0])));
});
