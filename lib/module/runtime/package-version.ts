import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { OWN_FILE } from './own-file.js';

let known: string | undefined;

/** The version of this package; `unknown` in a bundle, which has no manifest of it. */
export function packageVersion(): string {
  return (known ??= findVersion());
}

function findVersion(): string {
  try {
    for (let folder = dirname(fileURLToPath(OWN_FILE)); folder !== dirname(folder); folder = dirname(folder)) {
      const manifest = join(folder, 'package.json');
      if (!existsSync(manifest)) continue;
      const { name, version } = JSON.parse(readFileSync(manifest, 'utf8')) as Record<string, unknown>;
      if (name === 'nestjs-bulwark' && typeof version === 'string') return version;
    }
  } catch {
    // It is told as unknown.
  }
  return 'unknown';
}
