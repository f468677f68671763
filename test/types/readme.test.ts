import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { documentationPages } from '../support/documentation-pages.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const pages = ['README.md', ...documentationPages()];
const blocks = new Map(
  pages.flatMap((path) =>
    [...readFileSync(`${ROOT}${path}`, 'utf8').matchAll(/^```ts\n(.*?)^```/gms)].map(
      ([, code = ''], index): [string, string] => [fileOf(path, code, index + 1), code],
    ),
  ),
);

/** A block that begins with its name, `// src/main.ts`, is that file of its page: the next ones may import it. */
function fileOf(page: string, code: string, number: number): string {
  const name = /^\/\/ (\S+\.ts)\n/.exec(code)?.[1] ?? `block-${number}.ts`;
  return `${ROOT}${page.replace(/\W/g, '-')}/${name}`;
}

/** What the compiler says about each block, as a module of its own in the repository; those without a complaint are left out. */
function complaints(): Record<string, string[]> {
  const config = ts.readConfigFile(`${ROOT}tsconfig.json`, (path) => ts.sys.readFile(path)).config as unknown;
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, ROOT);
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (path) => blocks.has(path) || fileExists(path);
  host.readFile = (path) => blocks.get(path) ?? readFile(path);
  const folders = new Set([...blocks.keys()].flatMap(foldersOf));
  host.directoryExists = (path) => folders.has(path) || ts.sys.directoryExists(path);
  host.getSourceFile = (path, language, ...rest) => {
    const code = blocks.get(path);
    return code === undefined
      ? getSourceFile(path, language, ...rest)
      : ts.createSourceFile(path, code, language, true);
  };
  const program = ts.createProgram([...blocks.keys()], { ...options, noUnusedLocals: false }, host);
  const all = [...blocks.keys()].map((path): [string, string[]] => [
    path.slice(ROOT.length),
    ts
      .getPreEmitDiagnostics(program, program.getSourceFile(path))
      .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n')),
  ]);
  return Object.fromEntries(all.filter(([, texts]) => texts.length > 0));
}

function foldersOf(path: string): string[] {
  return [...path.matchAll(/\//g)].map(({ index }) => path.slice(0, index));
}

describe('the examples of the README and of docs', () => {
  it('compile, each by itself', { timeout: 120_000 }, () => {
    expect(blocks.size).toBeGreaterThan(60);

    expect(complaints()).toEqual({});
  });
});
