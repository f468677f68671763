import { describe, expect, it } from 'vitest';
import { circlesIn, packageOf, reachedFrom, sourcesIn, type SourceFile } from './source-files.js';

/** Files that import one another as `graph` says. */
const files = (graph: Record<string, string[]>): SourceFile[] =>
  Object.entries(graph).map(([path, targets]) => {
    const imports = targets.map((file) => ({ specifier: file, file, names: [] }));
    return { path, imports, valueImports: imports } as unknown as SourceFile;
  });

describe('the instruments of the architecture tests', () => {
  it('find a circle, however long, and all that are in it', () => {
    const graph = new Map(
      Object.entries({ a: ['b'], b: ['c', 'd'], c: [], d: ['e'], e: ['b', 'd'], f: ['g'], g: ['f'] }),
    );

    expect(circlesIn(graph)).toEqual([
      ['b', 'd', 'e'],
      ['f', 'g'],
    ]);
  });

  it('find none, where two ways lead to one file', () => {
    expect(circlesIn(new Map(Object.entries({ a: ['b', 'c'], b: ['d'], c: ['d'], d: [] })))).toEqual([]);
  });

  it('tell the way to each file that is reached', () => {
    const reached = reachedFrom('a', files({ a: ['b'], b: ['c'], c: [], d: ['a'] }), true);

    expect([...reached.keys()]).toEqual(['a', 'b', 'c']);
    expect(reached.get('c')).toEqual(['a', 'b', 'c']);
  });

  it.each([
    ['@nestjs/common/enums', '@nestjs/common'],
    ['rxjs/operators', 'rxjs'],
    ['node:fs', 'node:fs'],
  ])('name the package of %s', (specifier, name) => {
    expect(packageOf(specifier)).toBe(name);
  });

  it('tell the imports of types from those that are loaded', () => {
    const source = sourcesIn('lib').find(({ path }) => path === 'lib/pipeline/layers.ts');

    expect(source?.imports.map(({ file }) => file)).toContain('lib/kernel/guard.ts');
    expect(source?.valueImports.map(({ file }) => file)).toEqual([
      'lib/kernel/observed-pipeline.ts',
      'lib/kernel/pipeline.ts',
      'lib/pipeline/order.ts',
    ]);
  });
});
