import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ROOT } from './source-files.js';

interface Locked {
  readonly license?: string;
  readonly hasInstallScript?: boolean;
  readonly dependencies?: Record<string, string>;
  readonly optionalDependencies?: Record<string, string>;
}
interface Manifest {
  readonly scripts: Record<string, string>;
  readonly dependencies: Record<string, string>;
  readonly peerDependencies: Record<string, string>;
  readonly peerDependenciesMeta: Record<string, { readonly optional: boolean }>;
  readonly exports: Record<string, { readonly types?: string }>;
  readonly typesVersions: { readonly '*': Record<string, readonly string[]> };
}

/** Licences that let a user do what MIT does, and ask no more than a notice. */
const ALLOWED = ['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', 'MIT'];

const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
const manifest = JSON.parse(read('package.json')) as Manifest;
const locked = (JSON.parse(read('package-lock.json')) as { packages: Record<string, Locked> }).packages;
const ownPackages = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies });

/** The packages, as paths in the lock file, that some packages bring with them. */
function closureOf(names: readonly string[]): string[] {
  const reached = new Set<string>();
  const follow = (path: string): void => {
    if (reached.has(path)) return;
    reached.add(path);
    const { dependencies, optionalDependencies } = locked[path] ?? {};
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      const found = resolved(path, name);
      if (found !== undefined) follow(found);
    }
  };
  for (const name of names) follow(`node_modules/${name}`);
  return [...reached];
}

/** Where a package finds another one: in the nearest `node_modules` that has it. */
function resolved(from: string, name: string): string | undefined {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    const path = `${folder === '' ? '' : `${folder}/`}node_modules/${name}`;
    if (locked[path] !== undefined) return path;
    if (folder === '') return undefined;
  }
}

it('brings no package, and asks for none, whose licence asks more than its own', () => {
  const closure = closureOf(ownPackages);
  const others = closure.filter((path) => !ALLOWED.includes(locked[path]?.license ?? 'none'));

  expect(closure.length).toBeGreaterThan(ownPackages.length);
  expect(others).toEqual([]);
});

it('lists the licence of each package it brings or asks for', () => {
  const rows = [...read('docs/versioning.md').matchAll(/^\| `([^`]+)` +\| ([^|]+?) +\|/gm)];
  const listed = Object.fromEntries(rows.map(([, name, licence]) => [name, licence]));

  const expected = Object.fromEntries(ownPackages.map((name) => [name, locked[`node_modules/${name}`]?.license]));

  expect(listed).toEqual(expected);
});

it('runs nothing when it is installed, nor does what it brings', () => {
  const own = Object.keys(manifest.scripts).filter((name) =>
    /^(?:pre|post)?install$|^(?:pre|post)?prepare$/.test(name),
  );
  const brought = closureOf(Object.keys(manifest.dependencies)).filter((path) => locked[path]?.hasInstallScript);

  expect([...own, ...brought]).toEqual([]);
});

it('has types of each entry for compilers that do not read exports', () => {
  const entries = Object.entries(manifest.exports).filter(([entry, { types }]) => entry !== '.' && types !== undefined);

  const expected = Object.fromEntries(entries.map(([entry, { types }]) => [entry.replace('./', ''), [types]]));

  expect(manifest.typesVersions['*']).toEqual(expected);
});

it('has a report of what each entry offers', () => {
  const entries = Object.keys(manifest.exports).filter((entry) => entry !== './package.json');
  const names = entries.map((entry) => entry.replace(/^\.$/, './root').replace('./', ''));

  for (const name of names) expect(read(`test/api/${name}.api.md`)).toContain('```ts');
});
