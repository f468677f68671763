import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { documentationSnippets } from '../support/documentation-snippets.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const blocks = new Map([...documentationSnippets()].map(([path, code]) => [`${ROOT}${path}`, code]));

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
