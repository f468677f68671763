import { join } from 'node:path';
import Database from 'libsql';
import { DatabaseDataService } from 'nestjs-bulwark/data';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { temporaryFolder } from '../contract/temporary-folder.js';
import { builtCli } from '../sample/support/built-sample.js';
import { dataCli, CliProcess } from './support/run-cli.js';
import { contentOf, fillPlain, using } from './support/stores.js';

const SOON = { timeout: 20_000, interval: 20 };
/** So many that a copy is still under way when a test has seen it begin. */
const MANY = 8_000;

interface Places {
  /** The address of an SQLite database, and its file. */
  readonly from: string;
  readonly source: string;
  /** Those of another one. */
  readonly to: string;
  readonly target: string;
}

async function places(): Promise<Places> {
  const home = await temporaryFolder();
  const [first, second] = [join(home, 'first.db'), join(home, 'second.db')];
  return { from: `sqlite:${first}`, source: first, to: `sqlite:${second}`, target: second };
}

const copy = (from: string, to: string): string[] => ['copy', '--from', from, '--to', to];

/** What a database holds at the moment. */
function rowsIn(database: string): number {
  const connection = new Database(database, { readonly: true });
  try {
    return (connection.prepare('SELECT count(*) AS rows FROM bulwark_data').get() as { rows: number }).rows;
  } catch {
    return 0;
  } finally {
    connection.close();
  }
}

function change(database: string, sql: string): void {
  const connection = new Database(database);
  connection.exec(sql);
  connection.close();
}

beforeAll(async () => {
  await builtCli();
}, 300_000);

describe('copy', () => {
  it('goes on where it was, when it was killed', { timeout: 60_000 }, async () => {
    const { from, to, target } = await places();
    await using(DatabaseDataService.open({ url: from }), (store) => fillPlain(store, MANY));

    const killed = await CliProcess.start(['data', ...copy(from, to)]);
    await expect.poll(() => rowsIn(target), SOON).toBeGreaterThan(200);
    killed.process.kill('SIGKILL');
    const end = await killed.ended();
    const kept = rowsIn(target);
    const resumed = await dataCli(copy(from, to));

    expect(end).toBe('SIGKILL');
    expect(kept).toBeLessThan(MANY);
    expect(resumed.code).toBe(0);
    expect(resumed.err).toMatch(/^copying sqlite:.* to sqlite:.*\n(?:(?:copying|comparing): .*\n)*$/);
    const [, copied, present] = /^copied ([\d,]+) writes; ([\d,]+) were there already\n/.exec(resumed.out) ?? [];
    expect([copied, present].map((count) => Number(count?.replace(',', '')))).toEqual([MANY - kept, kept]);
    expect(resumed.out).toContain('verified: both hold the same 8,000 entries');
  });

  it('says how to go on, when it is interrupted', { timeout: 60_000 }, async () => {
    const { from, to, target } = await places();
    await using(DatabaseDataService.open({ url: from }), (store) => fillPlain(store, MANY));

    const copying = await CliProcess.start(['data', ...copy(from, to)]);
    await expect.poll(() => rowsIn(target), SOON).toBeGreaterThan(100);
    copying.process.kill('SIGINT');
    const code = await copying.ended();

    expect(code).toBe(130);
    expect(copying.err).toContain('copy was interrupted: what was copied is kept; run the same command again to go on');
    expect(rowsIn(target)).toBeLessThan(MANY);
  });

  it('finds what is different in the end', async () => {
    const { from, to, target } = await places();
    await using(DatabaseDataService.open({ url: from }), (store) => fillPlain(store, 100));
    await dataCli(copy(from, to));
    change(target, `UPDATE bulwark_data SET value = '"planted"' WHERE CAST(key AS TEXT) = 'orders/42'`);
    await using(DatabaseDataService.open({ url: to }), (store) => store.put('surplus', 1));

    const again = await dataCli(copy(from, to));
    const verified = await dataCli(['verify', to, '--against', from]);

    expect(again.code).toBe(1);
    expect(again.out).toBe(
      'copied 0 writes; 100 were there already\n' +
        '"orders/42": another value under the same version\n' +
        '"surplus": only in the target\n' +
        'not the same: 2 keys differ, 99 are equal\n',
    );
    expect(verified.code).toBe(1);
    expect(verified.out).toContain('"surplus": only in the source\n');
  });

  it('notices that the source was written meanwhile, and brings the rest the next time', async () => {
    const { from, to, target } = await places();
    const source = await DatabaseDataService.open({ url: from });
    onTestFinished(() => source.close());
    await fillPlain(source, 3_000);
    await source.put('a', 'the first that is read');

    const copying = await CliProcess.start(['data', ...copy(from, to)]);
    await expect.poll(() => rowsIn(target), SOON).toBeGreaterThan(50);
    await source.put('a', 'written meanwhile');
    const code = await copying.ended();
    await source.delete('orders/7');
    const again = await dataCli(copy(from, to));
    const pruning = await dataCli([...copy(from, to), '--prune']);

    expect(code).toBe(1);
    expect(copying.out).toContain('"a": written in the source later than in the target\n');
    expect(copying.out).toContain('the source changed while it was copied: stop what writes to it');
    expect(again.code).toBe(1);
    expect(again.out).toMatch(/^copied 1 write; 2,999 were there already\n"orders\/7": only in the target\n/);
    expect(pruning.code).toBe(0);
    expect(pruning.out).toContain('removed 1 key that the source does not have\nverified: both hold the same 3,000 ');
  });

  it('takes one table, one prefix and the address from the environment, when it is told to', async () => {
    const { from, to } = await places();
    const table = 'orders_2026';
    await using(DatabaseDataService.open({ url: from, table }), async (store) => {
      await fillPlain(store, 10);
      await store.put('users/1', 'stays');
    });

    const args = [...copy('env:SHOP_DATABASE', to), '--from-table', table, '--prefix', 'orders/'];
    const { code } = await dataCli(args, { SHOP_DATABASE: from });

    expect(code).toBe(0);
    const content = await using(DatabaseDataService.open({ url: to }), contentOf);
    expect([...content.keys()].sort()).toEqual(Array.from({ length: 10 }, (_, n) => `orders/${n}`));
  });
});

describe('verify', () => {
  it('finds what no store may hold', async () => {
    const { from, source } = await places();
    await using(DatabaseDataService.open({ url: from }), (store) => fillPlain(store, 3));
    const before = await dataCli(['verify', from]);
    change(source, `UPDATE bulwark_data SET value = '{"n":' WHERE CAST(key AS TEXT) = 'orders/1'`);

    const after = await dataCli(['verify', from]);

    expect(before).toMatchObject({ code: 0, out: '3 entries: nothing is wrong\n' });
    expect(after.code).toBe(1);
    expect(after.out).toMatch(/^"orders\/1": its value is no JSON: .*\n1 thing is wrong, among 3 entries\n$/);
  });
});

describe('inspect', () => {
  it('shows what there is, or one entry', async () => {
    const { from } = await places();
    await using(DatabaseDataService.open({ url: from }), async (store) => {
      await fillPlain(store, 12);
      await store.put('users/1', { name: 'Ada' });
      await store.apply({ key: 'users/9', text: undefined, version: '0'.repeat(28) });
    });

    const all = await dataCli(['inspect', from]);
    const one = await dataCli(['inspect', from, 'users/1']);
    const deleted = await dataCli(['inspect', from, 'users/9']);
    const absent = await dataCli(['inspect', from, 'users/2']);

    expect(all.code).toBe(0);
    expect(all.out).toMatch(/^13 entries, 1 delete remembered\n/);
    expect(all.out).toMatch(/written from \d{4}-.*\n +to \d{4}-/);
    expect(all.out).toMatch(/12 +1\.\d KiB +"orders\/"/);
    expect(one).toMatchObject({ code: 0 });
    expect(one.out).toMatch(/^key: "users\/1"\nversion: [\da-f]{28}\nwritten: \d{4}-.*\nsize: 14 bytes\nvalue:\n\{\n/);
    expect(deleted.code).toBe(1);
    expect(deleted.out).toMatch(/deleted: \d{4}-/);
    expect(absent).toMatchObject({ code: 1, err: 'there is no key "users/2"\n' });
  });
});
