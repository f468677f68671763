import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT, sourcesIn } from './source-files.js';

const MOST_LINES = 99;
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

const examples = readdirSync(join(ROOT, 'examples'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);
/** The apps themselves, without their tests. */
const sources = sourcesIn('examples').filter(({ path }) => !/\.spec\.ts$|\/dist\//.test(path));

describe.each(examples)('the example %s', (example) => {
  const own = sources.filter(({ path }) => path.startsWith(`examples/${example}/`));

  it(`has at most ${MOST_LINES} lines`, () => {
    const lines = own.map(({ text }) => text.trimEnd().split('\n').length);

    expect(own.length).toBeGreaterThan(1);
    expect(lines.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(MOST_LINES);
  });

  it('imports the package by name, and nothing outside its folder', () => {
    const strangers = own.flatMap(({ path, imports }) =>
      imports
        .filter(({ file }) => file !== undefined && !file.startsWith(`examples/${example}/`))
        .map(({ specifier }) => `${path} -> ${specifier}`),
    );

    expect(own.some(({ imports }) => imports.some(({ specifier }) => specifier === 'nestjs-bulwark'))).toBe(true);
    expect(strangers).toEqual([]);
  });

  it('has a README of two commands, and a line in docs/examples.md', () => {
    const commands = /^```sh\n(.*?)^```/ms
      .exec(read(`examples/${example}/README.md`))?.[1]
      ?.trimEnd()
      .split('\n');

    expect(commands).toHaveLength(2);
    expect(read('docs/examples.md')).toContain(`/examples/${example})`);
  });
});

it('an example starts what its README says', () => {
  const missing = examples.flatMap((example) =>
    [...read(`examples/${example}/README.md`).matchAll(/node dist\/(examples\/\S+)\.js/g)].flatMap(([, entry]) =>
      sources.some(({ path }) => path === `${entry}.ts`) ? [] : [`${example}: ${entry}`],
    ),
  );

  expect(missing).toEqual([]);
});

it('an example with packages of its own has a lock file that names no registry', () => {
  const lock = read('examples/nest-11-commonjs-jest/package-lock.json');

  expect(lock).toContain('"node_modules/nestjs-bulwark"');
  expect(lock).not.toContain('"resolved"');
});
