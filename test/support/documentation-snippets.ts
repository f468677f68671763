import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { documentationPages } from './documentation-pages.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** The TypeScript that the README and the pages show, by a path below a folder of each page: `docs-quick-start-md/src/main.ts`. */
export function documentationSnippets(): Map<string, string> {
  return new Map(
    ['README.md', ...documentationPages()].flatMap((page) =>
      [...readFileSync(`${ROOT}${page}`, 'utf8').matchAll(/^```ts\n(.*?)^```/gms)].map(
        ([, code = ''], index): [string, string] => [
          `${page.replace(/\W/g, '-')}/${nameOf(code) ?? `block-${index + 1}.ts`}`,
          code,
        ],
      ),
    ),
  );
}

/** A block that begins with its name, `// src/main.ts`, is that file of its page: the next ones may import it. */
function nameOf(code: string): string | undefined {
  return /^\/\/ (\S+\.ts)\n/.exec(code)?.[1];
}
