import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import ts from 'typescript';
import { expect, it, onTestFinished } from 'vitest';
import { OWN_FILE } from '../../../../lib/module/runtime/own-file.js';

/** The file as a compiler writes it, in a folder whose name looks like a part of a stack trace. */
async function compiled(name: string, module: ts.ModuleKind): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), 'bulwark-own-'));
  onTestFinished(() => rm(home, { recursive: true }));
  const path = join(home, 'an app (old) at 1:2', name);
  const source = await readFile(new URL('../../../../lib/module/runtime/own-file.ts', import.meta.url), 'utf8');
  await mkdir(join(path, '..'));
  await writeFile(path, ts.transpileModule(source, { compilerOptions: { module } }).outputText);
  return path;
}

it('is known as an ES module', async () => {
  const path = await compiled('own-file.mjs', ts.ModuleKind.ESNext);

  expect(await import(/* @vite-ignore */ pathToFileURL(path).href)).toMatchObject({ OWN_FILE: path });
});

it('is known once a bundler has made CommonJS of it', async () => {
  const path = await compiled('own-file.cjs', ts.ModuleKind.CommonJS);

  expect(createRequire(path)(path)).toMatchObject({ OWN_FILE: path });
});

it('is known without stack traces, which stay as the app has set them', async () => {
  const path = await compiled('own-file.mjs', ts.ModuleKind.ESNext);
  const ours = (): string => 'ours';
  const before = {
    stackTraceLimit: Error.stackTraceLimit,
    prepareStackTrace: Reflect.get(Error, 'prepareStackTrace') as unknown,
  };
  onTestFinished(() => void Object.assign(Error, before));
  Object.assign(Error, { prepareStackTrace: ours, stackTraceLimit: 0 });

  const { OWN_FILE: found } = (await import(pathToFileURL(path).href)) as { OWN_FILE: string };

  expect(found).toBe(path);
  expect([Reflect.get(Error, 'prepareStackTrace'), Error.stackTraceLimit]).toEqual([ours, 0]);
});

it('is known as source', () => {
  expect(OWN_FILE).toMatch(/[\\/]lib[\\/]module[\\/]runtime[\\/]own-file\.ts$/);
});
