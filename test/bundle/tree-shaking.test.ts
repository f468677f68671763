import { build, type Metafile } from 'esbuild';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BUILD_LIMIT_MS, builtPackage } from '../sample/support/built-sample.js';
import { sourcesOf } from './support/chunks.js';

const ONE_DECORATOR = `
  import { Timeout } from 'nestjs-bulwark';
  export class Rates { @Timeout(500) async today() { return 1; } }`;
const ONE_DECORATOR_AND_MODULE = `
  import { Module } from '@nestjs/common';
  import { ResilienceModule, Timeout } from 'nestjs-bulwark';
  class Rates { @Timeout(500) async today() { return 1; } }
  @Module({ imports: [ResilienceModule.forRoot({})], providers: [Rates] })
  export class AppModule {}`;

/** The stores of data, and what reads rules from files. */
const UNWANTED =
  /^(?:data\/(?!port\/)|module\/rules\/(?:file|rules-text)|cluster\/|observability\/|http\/|microservices\/|testing\/|cli\/)/;

let folder: string;
let out: string;

beforeAll(async () => {
  folder = await builtPackage();
  out = await mkdtemp(join(folder, 'bundled-'));
}, BUILD_LIMIT_MS);

afterAll(() => rm(out, { recursive: true, force: true }));

/** Bundles an app with everything but Nest in it. */
async function bundle(contents: string): Promise<Metafile> {
  const { metafile } = await build({
    stdin: { contents, loader: 'ts', resolveDir: folder, sourcefile: 'app.ts' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    external: ['@nestjs/*', 'rxjs', 'reflect-metadata'],
    tsconfigRaw: { compilerOptions: { experimentalDecorators: true } },
    outdir: out,
    metafile: true,
    logLevel: 'silent',
    absWorkingDir: folder,
  });
  return metafile;
}

/** The inputs that are loaded at the start: those of the entry, and of what it imports statically. */
function inputsAtStart({ outputs }: Metafile): string[] {
  const entry = Object.keys(outputs).find((name) => outputs[name]?.entryPoint === 'app.ts') ?? '';
  const reached = new Set<string>();
  const follow = (name: string): void => {
    const output = outputs[name];
    if (output === undefined || reached.has(name)) return;
    reached.add(name);
    for (const { path, kind } of output.imports) if (kind === 'import-statement') follow(path);
  };
  follow(entry);
  return [...reached].flatMap((name) =>
    Object.entries(outputs[name]?.inputs ?? {})
      .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
      .map(([input]) => input),
  );
}

function sourcesAtStart(metafile: Metafile): string[] {
  const ours = inputsAtStart(metafile).filter((input) => input.startsWith('dist/bundle/'));
  return ours.flatMap((input) => sourcesOf(resolve(folder, input)));
}

describe.each([
  ['one decorator', ONE_DECORATOR],
  ['one decorator and the module', ONE_DECORATOR_AND_MODULE],
])('a bundle of an app with %s', (_name, app) => {
  it('has no stores of data, no code for files of rules and no other entry', async () => {
    const sources = sourcesAtStart(await bundle(app));

    expect(sources).toContain('policies/timeout/timeout.kind.js');
    expect(sources.filter((source) => UNWANTED.test(source))).toEqual([]);
  });

  it('has no YAML, and no other package than opossum', async () => {
    const metafile = await bundle(app);

    const packages = Object.keys(metafile.inputs)
      .filter((input) => input.includes('node_modules/'))
      .map((input) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input)?.[1]);

    expect([...new Set(packages)]).toEqual(['opossum']);
  });
});

it('leaves what decorators do not need out of a bundle that uses them alone', async () => {
  const sources = sourcesAtStart(await bundle(ONE_DECORATOR));

  const ofTheModule =
    /^module\/(?:data|incoming|interceptors|rules|shutdown|start-up\/start-up|system-protection|resilience)/;
  expect(sources.filter((source) => ofTheModule.test(source) || source.startsWith('data/'))).toEqual([]);
});

it('tells bundlers that no file has side effects', async () => {
  const { sideEffects } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as { sideEffects: boolean };

  expect(sideEffects).toBe(false);
});
