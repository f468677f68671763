import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** The pages below docs/ that people write, as paths from the root of the repository; not what the site is built with. */
export function documentationPages(): string[] {
  return readdirSync(`${ROOT}docs`, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.md') && !/^(?:\.|api\/)/.test(path))
    .map((path) => `docs/${path}`)
    .sort();
}
