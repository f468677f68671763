import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Test } from '@nestjs/testing';
import { ResilienceModule, type PolicySet } from 'nestjs-bulwark';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { guardedLineage } from '../../lib/guarded/guarded-classes.js';
import type { AnyClass } from '../../lib/guarded/guarded-method.js';
import { RecordingLogger } from './support/harness.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** Inside the repository, so that packages are found. */
const FOLDER = join(ROOT, `dist/test-snippets.${process.pid}`);

interface Snippet {
  readonly name: string;
  readonly code: string;
}

const pages = ['README.md', ...readdirSync(`${ROOT}docs`).map((name) => `docs/${name}`)].filter((path) =>
  path.endsWith('.md'),
);
/** Those that decorate methods, or have policy sets; no others can be warned of, and some open servers. */
const snippets: readonly Snippet[] = pages.flatMap((path) =>
  [...readFileSync(`${ROOT}${path}`, 'utf8').matchAll(/^```ts\n(.*?)^```/gms)]
    .map(([, code = ''], index) => ({ name: `${path}, ${index + 1}`, code }))
    .filter(({ code }) => /^export (?:abstract )?class /m.test(code) && !code.includes('NestFactory'))
    .filter(({ code }) =>
      /@(?:Retry|Timeout|CircuitBreaker|Bulkhead|RateLimit|Hedge|Resilient)\(|policies:/.test(code),
    ),
);

/** The names that a snippet takes from the policies of an app that it does not show. */
function namesIn(code: string): string[] {
  return [...code.matchAll(/(?:@(?:CircuitBreaker|Bulkhead|RateLimit|Resilient)|Interceptor\.with)\('([^']+)'\)/g)].map(
    ([, name = '']) => name,
  );
}

/** What a snippet exports, and the policy sets that its modules are given. */
async function load({ code }: Snippet, index: number): Promise<{ classes: AnyClass[]; sets: PolicySets }> {
  // What counts in Redis is the same to whoever looks at plans.
  const { outputText } = ts.transpileModule(code.replaceAll("scope: 'cluster'", "scope: 'class'"), {
    compilerOptions: {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      experimentalDecorators: true,
      emitDecoratorMetadata: true,
    },
  });
  const file = join(FOLDER, `snippet-${index}.js`);
  writeFileSync(file, outputText);
  const given = vi.spyOn(ResilienceModule, 'forRoot');
  onTestFinished(() => given.mockRestore());
  const exported = (await import(pathToFileURL(file).href)) as Record<string, unknown>;
  const sets = Object.assign({}, ...given.mock.calls.map(([options]) => options?.policies ?? {})) as PolicySets;
  const classes = Object.values(exported).filter((one): one is AnyClass => typeof one === 'function');
  return { classes, sets };
}

type PolicySets = Record<string, PolicySet>;

beforeAll(() => mkdirSync(FOLDER, { recursive: true }));
afterAll(() => rmSync(FOLDER, { recursive: true, force: true }));

describe('what the README and docs show', () => {
  it('is enough to say anything', () => {
    expect(snippets.length).toBeGreaterThan(15);
  });

  it.each(snippets.map((snippet, index) => ({ ...snippet, index })))('starts without a warning: $name', async (one) => {
    expect(await warningsOf(one, one.index)).toEqual([]);
  });

  it('would be found, if it were wrong', async () => {
    const code = `import { Timeout } from 'nestjs-bulwark';
      export class Rates { @Timeout({ perAttempt: 200, total: 100 }) async today(): Promise<void> {} }`;

    expect(await warningsOf({ name: 'wrong', code }, -1)).toHaveLength(1);
  });
});

/** What an app with all that a snippet exports is warned of at its start. */
async function warningsOf(snippet: Snippet, index: number): Promise<string[]> {
  const { classes, sets } = await load(snippet, index);
  const guarded = classes.filter((one) => guardedLineage(one).length > 0);
  const controllers = classes.filter((one) => Reflect.hasMetadata('path', one));
  const named = Object.fromEntries(namesIn(snippet.code).map((name) => [name, EVERYTHING]));
  const log = new RecordingLogger();
  const module = await Test.createTestingModule({
    imports: [ResilienceModule.forRoot({ policies: { default: { timeout: 2_000 }, ...named, ...sets } })],
    providers: guarded.filter((one) => !controllers.includes(one)) as never[],
    controllers: controllers as never[],
  })
    .useMocker(() => ({}))
    .setLogger(log)
    .compile();
  onTestFinished(() => module.close());
  await module.init();
  return log.ofBulwark('warn').filter((line) => line.includes('silences this'));
}

/** Stands for a set that a snippet only names. */
const EVERYTHING: PolicySet = {
  circuitBreaker: true,
  bulkhead: 10,
  rateLimit: { limit: 5, per: 1_000 },
  retry: {},
  timeout: 1_000,
};
