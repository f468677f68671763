import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Type } from '@nestjs/common';
import { onTestFinished } from 'vitest';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** What the examples of the ways over have in common: a client of an exchange bureau. */
export interface RatesClient {
  rate(currency: string): Promise<number>;
}

/** The text of a page below docs/ways-over. */
export const pageOf = (name: string): Promise<string> => readFile(join(ROOT, `docs/ways-over/${name}.md`), 'utf8');

/** The code of a page that begins with its name, such as `// after.ts`. */
export async function codeOf(page: string, file: string): Promise<string> {
  const comment = /\.ya?ml$/.test(file) ? '#' : '//';
  const [, code] = new RegExp(`^\`\`\`\\w+\\n(${comment} ${file}\\n.*?)^\`\`\``, 'ms').exec(await pageOf(page)) ?? [];
  if (code === undefined) throw new Error(`docs/ways-over/${page}.md has no ${file}`);
  return code;
}

/**
 * Such code as a file, for the time of a test.
 *
 * @param beside where the packages are that it imports.
 */
export async function fileOf(page: string, file: string, beside = ROOT): Promise<string> {
  const folder = join(beside, 'test-results/ways-over', `${page}-${process.pid}-${++files}`);
  await mkdir(folder, { recursive: true });
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, file);
  await writeFile(path, await codeOf(page, file));
  return path;
}

let files = 0;

/** Such code as a module, run as it stands on the page. Each call runs it anew. */
export async function moduleOf(page: string, file: string): Promise<Record<string, unknown>> {
  return (await import(/* @vite-ignore */ await fileOf(page, file))) as Record<string, unknown>;
}

/** The client of such code. */
export async function clientOf(page: string, file: string): Promise<Type<RatesClient>> {
  const { RatesClient: client } = await moduleOf(page, file);
  return client as Type<RatesClient>;
}
