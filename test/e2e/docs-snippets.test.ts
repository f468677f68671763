import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Module, type LoggerService, type Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { DataService, ResilienceModule, ResilienceService } from 'nestjs-bulwark';
import { afterAll, describe, expect, it } from 'vitest';
import { documentationPages } from '../support/documentation-pages.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const FOLDER = join(ROOT, 'test-results/snippets');
/** Pages whose examples are classes of an app; what others have may listen, connect or stand for a part alone. */
const PAGES = documentationPages().filter((page) => /^docs\/(?:policies|recipes|how-it-decides|index)/.test(page));

const nothing = (): void => undefined;
const SILENT: LoggerService = { log: nothing, error: nothing, warn: nothing };

const isClass = (value: unknown): value is Type => typeof value === 'function' && /^class/.test(String(value));
const isModule = (one: Type): boolean => Reflect.hasMetadata('imports', one);

/** The classes of each example of a page, as the app would import them. */
async function examplesOf(page: string): Promise<Type[][]> {
  const blocks = [...(await readFile(join(ROOT, page), 'utf8')).matchAll(/^```ts\n(.*?)^```/gms)];
  return Promise.all(
    blocks.map(async ([, code = ''], index) => {
      const file = join(FOLDER, `${page.replace(/\W/g, '-')}-${index + 1}.ts`);
      await mkdir(FOLDER, { recursive: true });
      await writeFile(file, code);
      return Object.values((await import(/* @vite-ignore */ file)) as Record<string, unknown>).filter(isClass);
    }),
  );
}

describe.each(PAGES)('the examples of %s', (page) => {
  afterAll(() => rm(FOLDER, { recursive: true, force: true }));

  it('start, and the start has nothing to warn of', async () => {
    const examples = await examplesOf(page);
    const warnings: string[] = [];

    for (const classes of examples) {
      const own = classes.find(isModule);
      @Module({
        imports: own === undefined ? [ResilienceModule.forRoot({ callContext: true })] : [own],
        providers: own === undefined ? classes.filter((one) => !isModule(one)) : [],
      })
      class App {}
      const app = await Test.createTestingModule({ imports: [App] })
        .useMocker((token) => (token === DataService ? {} : { pool: true }))
        .setLogger(SILENT)
        .compile();
      await app.init();
      for (const entry of app.get(ResilienceService, { strict: false }).plan())
        warnings.push(...(entry.warnings ?? []).map(({ text }) => text));
      await app.close();
    }

    expect(warnings).toEqual([]);
  });
});
