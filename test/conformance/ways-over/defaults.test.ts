import { expect, it } from 'vitest';
import { BULKHEAD_DEFAULTS } from '../../../lib/policies/bulkhead/bulkhead.options.js';
import { CIRCUIT_BREAKER_DEFAULTS } from '../../../lib/policies/circuit-breaker/circuit-breaker.options.js';
import { RETRY_DEFAULTS } from '../../../lib/policies/retry/retry.options.js';
import { pageOf } from './pages.js';

// Those of opossum's page are in opossum.test.ts.
const PAGES = ['from-cockatiel', 'from-nestjs-resilience', 'from-resilience4j'];

/** What the code says, by the names that stand in a column `here`. */
const DEFAULTS: Readonly<Record<string, unknown>> = {
  ...CIRCUIT_BREAKER_DEFAULTS,
  ...BULKHEAD_DEFAULTS,
  ...RETRY_DEFAULTS,
  // That of a breaker; a @Timeout has none.
  timeout: undefined,
};

/** The rows of tables that have the columns `here` and `default here`. */
function* rowsOf(text: string): Generator<{ here: string; value: string }> {
  for (const [, head = '', rows = ''] of text.matchAll(/^(\|.*default here.*)\n\|[ -|]+\n((?:\|.*\n)+)/gm)) {
    const titles = cells(head);
    for (const row of rows.trim().split('\n').map(cells))
      yield { here: row[titles.indexOf('here')] ?? '', value: row[titles.indexOf('default here')] ?? '' };
  }
}

const cells = (row: string): string[] =>
  row
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());

/** The numbers with which a cell begins: `10_000 ms`, `10, 0`. */
const numbersOf = (cell: string): number[] =>
  (/^[\d_.]+(?:, [\d_.]+)*/.exec(cell)?.[0] ?? '')
    .split(', ')
    .filter((number) => number !== '')
    .map((number) => Number(number.replaceAll('_', '')));

it.each(PAGES)('says the defaults of the code, in %s', async (page) => {
  const rows = [...rowsOf(await pageOf(page))]
    .map(({ here, value }) => ({
      names: [...here.matchAll(/\w+/g)].map(String).filter((name) => typeof DEFAULTS[name] === 'number'),
      numbers: numbersOf(value),
    }))
    .filter(({ names, numbers }) => names.length > 0 && numbers.length > 0);

  expect(rows.length).toBeGreaterThan(5);
  expect(rows).toEqual(rows.map(({ names }) => ({ names, numbers: names.map((name) => DEFAULTS[name]) })));
});
