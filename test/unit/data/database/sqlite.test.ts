import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import Libsql from 'libsql';
import { DataAccessException, DatabaseDataService } from 'nestjs-bulwark/data';
import { describe, expect, it } from 'vitest';
import { loadDriver } from '../../../../lib/data/database/load-driver.js';
import { temporaryFolder } from '../../../contract/temporary-folder.js';
import { explained } from '../../../support/explained.js';

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
}

describe('databaseData on SQLite', () => {
  it('creates the folder, and keeps tables apart', async () => {
    const url = `sqlite:${join(await temporaryFolder(), 'new', 'folder', 'data.db')}`;
    const [a, b] = [await DatabaseDataService.open({ url }), await DatabaseDataService.open({ url, table: 'other' })];
    await a.put('k', 'a');

    expect(await b.get('k')).toBeUndefined();
    await Promise.all([a.close(), b.close()]);
  });

  it('serves two services on one file', async () => {
    const url = `sqlite:${join(await temporaryFolder(), 'data.db')}`;
    const [a, b] = await Promise.all([DatabaseDataService.open({ url }), DatabaseDataService.open({ url })]);
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) => (i % 2 ? a : b).put('k', i, { ifVersion: null })),
    );

    expect(outcomes.filter(({ status }) => status === 'fulfilled').length).toBe(1);
    expect(await a.get('k')).toBe(await b.get('k'));
    await Promise.all([a.close(), b.close()]);
  });

  it('waits out the lock of another writer while the process goes on, and no longer than the signal says', async () => {
    const file = join(await temporaryFolder(), 'data.db');
    const data = await DatabaseDataService.open({ url: `sqlite:${file}` });
    const other = new Libsql(file);
    other.exec('BEGIN IMMEDIATE');
    let ticks = 0;
    const ticking = setInterval(() => (ticks += 1), 10);
    await expect(data.put('a', 1, { signal: AbortSignal.timeout(100) })).rejects.toMatchObject({
      name: 'TimeoutError',
    });
    const written = data.put('b', 1);
    await delay(100);
    other.exec('ROLLBACK');
    await written;
    clearInterval(ticking);

    expect(ticks).toBeGreaterThan(5);
    expect(await data.get('a')).toBeUndefined();
    expect(await data.get('b')).toBe(1);
    other.close();
    await data.close();
  });

  it('syncs the log at every commit', async () => {
    const file = join(await temporaryFolder(), 'data.db');
    const data = await DatabaseDataService.open({ url: `sqlite:${file}` });
    await data.put('a', 1);
    const other = new Libsql(file);

    expect(other.prepare('PRAGMA journal_mode').all()).toEqual([{ journal_mode: 'wal' }]);
    other.close();
    await data.close();
  });

  it('refuses a database of another encoding', async () => {
    const file = join(await temporaryFolder(), 'data.db');
    const other = new Libsql(file);
    other.exec("PRAGMA encoding = 'UTF-16le'; CREATE TABLE t (a)");
    other.close();

    await expect(DatabaseDataService.open({ url: `sqlite:${file}` })).rejects.toThrow(
      explained('encoded in UTF-16le; expected UTF-8'),
    );
  });

  it('refuses a table of another layout, and says which columns it expects', async () => {
    const file = join(await temporaryFolder(), 'data.db');
    const other = new Libsql(file);
    other.exec('CREATE TABLE bulwark_data (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL, version TEXT NOT NULL)');
    other.close();

    await expect(DatabaseDataService.open({ url: `sqlite:${file}` })).rejects.toThrow(
      explained(
        'its columns are key TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL, version TEXT NOT NULL; ' +
          'expected key TEXT NOT NULL PRIMARY KEY, value TEXT, version TEXT NOT NULL',
      ),
    );
  });

  it('says so when a row has a version that no data service gave out', async () => {
    const file = join(await temporaryFolder(), 'data.db');
    const data = await DatabaseDataService.open({ url: `sqlite:${file}` });
    await data.apply({ key: 'a', text: '1', version: 'zzz' });

    await expect(data.put('a', 2)).rejects.toMatchObject({ code: 'DATA_REJECTED', status: 422 });
    await data.close();
  });

  it('tells a lock that stays from a write that is refused, and from a table that takes none', async () => {
    const file = join(await temporaryFolder(), 'data.db');
    const data = await DatabaseDataService.open({ url: `sqlite:${file}`, queryTimeout: 50 });
    const other = new Libsql(file);
    other.exec('BEGIN IMMEDIATE');
    await expect(data.put('a', 1)).rejects.toMatchObject({ code: 'DATA_UNAVAILABLE', status: 503 });
    other.exec("ROLLBACK; CREATE TRIGGER no BEFORE INSERT ON bulwark_data BEGIN SELECT RAISE(ABORT, 'no'); END");
    await expect(data.put('a', 1)).rejects.toMatchObject({ code: 'DATA_REJECTED', status: 422 });
    other.exec('DROP TABLE bulwark_data');

    await expect(data.put('a', 1)).rejects.toThrow(explained('no such table: bulwark_data'));
    other.close();
    await data.close();
  });

  it('says which file it cannot open', async () => {
    const folder = await temporaryFolder();

    await expect(DatabaseDataService.open({ url: `sqlite:${folder}` })).rejects.toThrow(DataAccessException);
    await expect(DatabaseDataService.open({ url: `sqlite:${folder}` })).rejects.toThrow(explained(folder));
  });

  it.skipIf(process.platform !== 'linux')('leaves no file open once the collector has been there', async () => {
    const url = `sqlite:${join(await temporaryFolder(), 'data.db')}`;
    const before = readdirSync('/proc/self/fd').length;
    for (let i = 0; i < 20; i++) {
      const data = await DatabaseDataService.open({ url });
      await data.put('a', i);
      await data.close();
    }

    collectGarbage();
    await delay(10);
    expect(readdirSync('/proc/self/fd').length).toBeLessThan(before + 10);
  });
});

describe('loadDriver', () => {
  it('says what to install', async () => {
    const missing = Object.assign(new Error("Cannot find package 'libsql'"), { code: 'ERR_MODULE_NOT_FOUND' });
    const loading = loadDriver('libsql', 'kysely libsql', () => Promise.reject(missing));

    await expect(loading).rejects.toMatchObject({ code: 'DATA_DRIVER_MISSING', cause: missing });
    await expect(loading).rejects.toThrow(explained('install it with: npm install kysely libsql'));
  });

  it('lets any other error through', async () => {
    const failure = new Error('broken');

    await expect(loadDriver('libsql', 'libsql', () => Promise.reject(failure))).rejects.toBe(failure);
  });
});
