import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { documentationPages } from '../support/documentation-pages.js';
import { ROOT } from './source-files.js';

interface Manifest {
  readonly files: readonly string[];
  readonly repository: { readonly url: string };
}

const { files, repository } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Manifest;
const HOME = `${repository.url.replace(/^git\+|\.git$/g, '')}/blob/main/`;
/** What npm packs without being told. */
const PACKED = ['README.md', 'LICENSE', ...files];

const pages = ['README.md', 'CHANGELOG.md', ...documentationPages()];
const textOf = (path: string): string => readFileSync(join(ROOT, path), 'utf8').replace(/^```.*?^```/gms, '');

/** As GitHub and npm name the headings of a page. */
const anchorsOf = (path: string): string[] =>
  [...textOf(path).matchAll(/^#+ +(.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\- _]/gu, '')
      .replaceAll(' ', '-'),
  );

describe('the links of a page that travels with the package', () => {
  it.each(pages)('lead somewhere, in %s', (page) => {
    const faults: string[] = [];
    for (const [, link = ''] of textOf(page).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (link.startsWith(HOME)) {
        if (!existsSync(join(ROOT, link.slice(HOME.length)))) faults.push(`${link}: no such file in the repository`);
        continue;
      }
      if (/^[a-z]+:/.test(link)) continue;
      const [file = '', anchor] = link.split('#');
      const path = file === '' ? page : relative(ROOT, resolve(ROOT, dirname(page), file));
      if (!existsSync(join(ROOT, path))) faults.push(`${link}: no such file`);
      else if (!PACKED.some((packed) => path === packed || path.startsWith(`${packed}/`))) {
        faults.push(`${link}: is not packed; expected ${HOME}${path}`);
      } else if (anchor !== undefined && !anchorsOf(path).includes(anchor)) faults.push(`${link}: no such heading`);
    }

    expect(faults).toEqual([]);
  });
});
