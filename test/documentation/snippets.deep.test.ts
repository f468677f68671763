import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import ts from 'typescript';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { BUILD_LIMIT_MS, builtPackage } from '../sample/support/built-sample.js';
import { documentationSnippets } from '../support/documentation-snippets.js';

const RUNNER = fileURLToPath(new URL('support/run-snippets.mjs', import.meta.url));
/** They go on with what a reader has, by `declare`: to compile them is all that can be done. */
const CONTINUED = /^declare /m;
/** The pack test goes through the whole page, command by command. */
const QUICK_START = 'docs-quick-start-md/';

const snippets = [...documentationSnippets()].filter(([path]) => !path.startsWith(QUICK_START));
const whole = snippets.filter(([, code]) => !CONTINUED.test(code));

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(await builtPackage(), 'snippets-'));
}, BUILD_LIMIT_MS);

afterAll(() => rm(folder, { recursive: true, force: true }));

async function emit(path: string, code: string): Promise<string> {
  const { outputText } = ts.transpileModule(code, {
    compilerOptions: {
      target: ts.ScriptTarget.ES2023,
      module: ts.ModuleKind.ESNext,
      experimentalDecorators: true,
      emitDecoratorMetadata: true,
    },
  });
  const file = join(folder, path.replace(/\.ts$/, '.js'));
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, outputText);
  return file;
}

it('knows which snippets cannot run by themselves', () => {
  const continued = snippets.filter(([, code]) => CONTINUED.test(code)).map(([path]) => path.split('/')[0]);

  expect(new Set(continued)).toEqual(new Set(['docs-file-format-md', 'docs-rules-md', 'docs-testing-md']));
});

it('runs every other snippet, and starts the modules that it shows', { timeout: 120_000 }, async () => {
  const files = await Promise.all(whole.map(([path, code]) => emit(path, code)));
  expect(files.length).toBeGreaterThan(70);

  const { stdout } = await promisify(execFile)(process.execPath, [RUNNER, ...files], { cwd: folder });

  const problems = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Record<string, string>;
  // The databases of some pages are nowhere: their apps begin, and say so.
  const wrong = Object.entries(problems).filter(([, problem]) => !problem.includes('DATA_UNAVAILABLE'));
  expect(wrong).toEqual([]);
});
