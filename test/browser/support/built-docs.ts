import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const TOOLS = fileURLToPath(new URL('../../../docs/.vitepress/', import.meta.url));

/** Why the site cannot be built here; undefined: it can. Under CI it must be. */
export function docsToolsMissing(): string | undefined {
  if (existsSync(join(TOOLS, 'node_modules/vitepress'))) return undefined;
  const missing = 'skipped: what builds the site is missing: npm run docs:install';
  if (process.env['CI'] === 'true') throw new Error(missing);
  console.warn(missing);
  return missing;
}

/** Builds the site as `npm run docs` does, into a folder of its own. @returns that folder. */
export async function builtDocs(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'bulwark-docs-'));
  const child = spawn(process.execPath, [join(TOOLS, 'site.mjs'), 'build', folder], {
    // Vitest's NODE_ENV would build a site for development.
    env: { ...process.env, NODE_ENV: 'production' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (piece) => (output += String(piece)));
  const [code] = (await once(child, 'close')) as [number];
  if (code !== 0) throw new Error(`the build of the site ended with ${code}: ${output.slice(-4_000)}`);
  return folder;
}
