import { join } from 'node:path';
import { FileDataService } from 'nestjs-bulwark/data';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { temporaryFolder } from '../contract/temporary-folder.js';
import { builtCli } from '../sample/support/built-sample.js';
import { mysqlServer, postgresServer, randomTable } from '../support/servers/shared-servers.js';
import { dataCli } from './support/run-cli.js';
import { contentOf, fill, ODD_ENTRIES, using } from './support/stores.js';

const servers = await Promise.all([mysqlServer(), postgresServer()]);

interface Station {
  readonly address: string;
  readonly table?: string;
}

beforeAll(async () => {
  await builtCli();
}, 300_000);

async function move(from: Station, to: Station): Promise<void> {
  const args = ['copy', '--from', from.address, '--to', to.address];
  if (from.table !== undefined) args.push('--from-table', from.table);
  if (to.table !== undefined) args.push('--to-table', to.table);

  const { code, out, err } = await dataCli(args);

  expect({ to, code, err }).toMatchObject({ code: 0 });
  expect(out).toMatch(/^copied 5\d\d writes\nverified: both hold the same 514 entries; the source did not change/);
}

describe('a store that is moved', () => {
  it('is the same when it comes back, odd keys, large values and deletes included', { timeout: 60_000 }, async () => {
    const home = await temporaryFolder();
    const table = randomTable();
    const there = servers.filter(({ missing }) => missing === undefined);
    onTestFinished(async () => {
      for (const server of there) await server.run(`DROP TABLE IF EXISTS ${table}`);
    });
    const first = { address: `file:${join(home, 'first')}` };
    const sqlite = { address: `sqlite:${join(home, 'shop.db')}` };
    const last = { address: `file:${join(home, 'last')}` };
    const tombstone = { key: 'deleted', text: undefined, version: 'f'.repeat(12) + '0'.repeat(16) };
    const content = await using(FileDataService.open({ path: join(home, 'first') }), async (store) => {
      await fill(store, 500);
      await store.apply(tombstone);
      return contentOf(store);
    });

    let from: Station = first;
    for (const to of [sqlite, ...there.map(({ url }) => ({ address: url, table })), last]) {
      await move(from, to);
      from = to;
    }

    expect(content.size).toBe(ODD_ENTRIES.length + 498);
    const [back, remembered] = await using(FileDataService.open({ path: join(home, 'last') }), async (store) => [
      await contentOf(store),
      await store.lastWrite('deleted'),
    ]);
    expect(back).toEqual(content);
    expect(remembered).toEqual(tombstone);
    const { out } = await dataCli(['verify', first.address, '--against', last.address]);
    expect(out).toBe('both hold the same 514 entries\n');
  });
});
