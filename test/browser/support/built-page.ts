import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';

const CONFIG = fileURLToPath(new URL('../../../vite.page.config.ts', import.meta.url));

/** Builds the page as `npm run build:page` does, into a folder of its own. @returns that folder. */
export async function builtPage(): Promise<string> {
  const outDir = await mkdtemp(join(tmpdir(), 'bulwark-page-'));
  await build({ configFile: CONFIG, logLevel: 'error', build: { outDir, emptyOutDir: true } });
  return outDir;
}
