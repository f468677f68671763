import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const CONFIGURATION = ['package.json', 'nest-cli.json', 'tsconfig.json', 'rolldown.config.mjs', 'vite.page.config.ts'];
const SOURCES = [...CONFIGURATION, 'lib', 'sample-app', 'examples'];
/** What stands in a source without being one: an example may have packages of its own. */
const INSTALLED = /[\\/](?:node_modules|dist)(?:[\\/]|$)/;
const VITE = join(ROOT, 'node_modules/vite/bin/vite.js');
const ROLLDOWN = join(ROOT, 'node_modules/rolldown/bin/cli.mjs');
const NEST = join(ROOT, 'node_modules/@nestjs/cli/bin/nest.js');

/** Several test files may build at the same time, on a machine that others use as well. */
export const BUILD_LIMIT_MS = 600_000;

/** @returns the path of the sample's entry. */
export async function builtSample(): Promise<string> {
  return join(await built(), 'sample-app/main.js');
}

/** @returns the path of an entry of the examples, such as `http-client/main`. */
export async function builtExample(entry: string): Promise<string> {
  return join(await built(), 'examples', `${entry}.js`);
}

/** @returns the path of the command line's entry. */
export async function builtCli(): Promise<string> {
  return join(await built(), 'bundle/cli/main.js');
}

/** @returns the folder of the built package, with its `package.json`. */
export async function builtPackage(): Promise<string> {
  return dirname(await built());
}

/**
 * Builds the library, the sample and the examples as the scripts of package.json do, in a copy of its own, so that no other build pulls the
 * files from under a running app. The copy is kept until the sources change.
 */
async function built(): Promise<string> {
  const home = join(ROOT, 'dist/test-sample');
  const copy = join(home, await hashOf(SOURCES));
  if (!existsSync(copy)) await build(home, copy);
  return join(copy, 'dist');
}

async function build(home: string, copy: string): Promise<void> {
  const draft = `${copy}.${process.pid}`;
  await mkdir(draft, { recursive: true });
  try {
    const filter = (path: string): boolean => !INSTALLED.test(relative(ROOT, path));
    for (const source of SOURCES) await cp(join(ROOT, source), join(draft, source), { recursive: true, filter });
    const run = (...args: string[]) => promisify(execFile)(process.execPath, args, { cwd: draft });
    await run(NEST, 'build', 'nestjs-bulwark');
    await run(ROLLDOWN, '-c', '--logLevel', 'silent');
    await run(VITE, 'build', '-c', 'vite.page.config.ts');
    await run(NEST, 'build', 'sample-app');
    await run(NEST, 'build', 'examples');
    // Another test file may have been faster.
    if (!existsSync(copy)) await rename(draft, copy);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  await removeOthers(home, copy);
}

/** Finished builds of older sources; those with a dot are still under way. */
async function removeOthers(home: string, copy: string): Promise<void> {
  const old = (await readdir(home)).map((name) => join(home, name)).filter((path) => path !== copy);
  await Promise.all(
    old.filter((path) => !path.includes('.')).map((path) => rm(path, { recursive: true, force: true })),
  );
}

async function hashOf(sources: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const source of sources) {
    const path = join(ROOT, source);
    const entries = source.includes('.') ? [] : await readdir(path, { recursive: true, withFileTypes: true });
    const files = source.includes('.')
      ? [path]
      : entries.filter((e) => e.isFile()).map((e) => join(e.parentPath, e.name));
    for (const file of files.filter((one) => !INSTALLED.test(relative(ROOT, one))).sort())
      hash.update(file).update(await readFile(file));
  }
  return hash.digest('hex').slice(0, 16);
}
