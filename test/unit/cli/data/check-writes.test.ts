import { describe, expect, it } from 'vitest';
import { checkWrites } from '../../../../lib/cli/data/check-writes.js';
import { timeOfVersion } from '../../../../lib/data/port/version-clock.js';
import { surveyWrites } from '../../../../lib/cli/data/survey-writes.js';
import type { DataWrite } from '../../../../lib/data/port/replicable-data.service.js';
import { MemoryDataService } from '../../../support/memory-data.service.js';

const VERSION = `${Date.UTC(2026, 0, 2).toString(16).padStart(12, '0')}0001aabbccddeeff`;

/** A store that shows exactly these writes. */
function showing(writes: readonly Partial<DataWrite>[]): MemoryDataService {
  return Object.assign(new MemoryDataService(), {
    async *writes() {
      for (const write of writes) yield { key: 'key', text: '1', version: VERSION, ...write };
    },
  });
}

async function findingsIn(writes: readonly Partial<DataWrite>[]): Promise<string[]> {
  const found: string[] = [];
  await checkWrites(showing(writes), { onFinding: (key, finding) => found.push(`${key.slice(0, 10)}: ${finding}`) });
  return found;
}

describe('a check', () => {
  it('counts the entries of a sound store', async () => {
    const store = showing([{ key: 'a' }, { key: 'b', text: undefined }, { key: '\uffff' }, { key: '\u{1f600}' }]);

    expect(await checkWrites(store, { onFinding: () => expect.unreachable() })).toEqual({ entries: 3 });
  });

  it.each<[string, Partial<DataWrite>[], string]>([
    ['a value that is no JSON', [{ text: '{"a":' }], 'key: its value is no JSON: '],
    ['a value that is too large', [{ text: `"${'x'.repeat(2 ** 20)}"` }], 'its value is 1.0 MiB; expected at most'],
    ['a key that is too long', [{ key: 'k'.repeat(513) }], 'is 513 bytes long'],
    ['a version of somebody else', [{ version: '17' }], "its version is '17'; expected 28 hexadecimal digits"],
    ['keys in another order', [{ key: 'b' }, { key: 'A' }], 'A: it comes behind a greater key'],
    ['a key that comes twice', [{ key: 'b' }, { key: 'b' }], 'b: it comes behind a greater key'],
    ['UTF-16 order', [{ key: '\u{1f600}' }, { key: '\uffff' }], 'it comes behind a greater key'],
  ])('tells of %s', async (_, writes, finding) => {
    const found = await findingsIn(writes);

    expect(found).toHaveLength(1);
    expect(found[0]).toContain(finding);
  });
});

describe('a survey', () => {
  it('counts entries, deletes, bytes and prefixes, and knows the largest and the span of the versions', async () => {
    const later = VERSION.replace('0001aabb', '0002aabb');
    const store = showing([
      { key: 'lone', text: '"é"' },
      { key: 'orders/1', text: '"xx"', version: later },
      { key: 'orders/2' },
      { key: 'users:7', text: undefined },
      { key: 'users:8' },
    ]);

    const survey = await surveyWrites(store, {});

    expect(survey).toEqual({
      entries: 4,
      deletes: 1,
      valueBytes: 10,
      keyBytes: 27,
      oldest: VERSION,
      newest: later,
      largest: [
        { key: 'lone', bytes: 4 },
        { key: 'orders/1', bytes: 4 },
        { key: 'orders/2', bytes: 1 },
        { key: 'users:8', bytes: 1 },
      ],
      prefixes: [
        { name: '"orders/"', entries: 2, bytes: 5 },
        { name: '(no prefix)', entries: 1, bytes: 4 },
        { name: '"users:"', entries: 1, bytes: 1 },
      ],
    });
  });

  it('shows the twenty largest prefixes, and the rest together', async () => {
    const writes = Array.from({ length: 1_500 }, (_, i) => ({ key: `${String(i).padStart(4, '0')}/x` }));

    const { prefixes } = await surveyWrites(showing(writes), {});

    expect(prefixes).toHaveLength(21);
    expect(prefixes.at(-1)).toMatchObject({ name: '(others)' });
    expect(prefixes.reduce((sum, { entries }) => sum + entries, 0)).toBe(1_500);
  });
});

describe('a version', () => {
  it('tells when it was given out', () => {
    expect(timeOfVersion(VERSION)).toBe(Date.parse('2026-01-02T00:00:00.000Z'));
    expect(timeOfVersion('5')).toBeUndefined();
  });
});
