import { expect, it } from 'vitest';
import { LaterFields } from '../../../../lib/cluster/etcd/later-fields.js';

it('tells once of each field that is not known, in one short line', () => {
  const lines: string[] = [];
  const later = new LaterFields((level, text) => lines.push(`${level} ${text}`), ['open']);

  later.note('app/trips/one', { open: [], zone: 'a' });
  later.note('app/trips/two', { open: [], zone: 'b', 'x\ny': 1 });
  later.note('app/trips/two', ['open']);
  later.note('app/trips/two', undefined);

  expect(lines).toEqual([
    'warn app/trips/one in etcd: this version does not know zone, and goes on without it',
    'warn app/trips/two in etcd: this version does not know x y, and goes on without it',
  ]);
});

it('tells of so many and no more', () => {
  const lines: string[] = [];
  const later = new LaterFields((_, text) => lines.push(text), []);

  later.note('app/trips/one', Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`field-${i}`, i])));

  expect(lines).toHaveLength(50);
});
