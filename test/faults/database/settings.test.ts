import { Logger } from '@nestjs/common';
import { DatabaseDataService, type DatabaseDataOptions } from 'nestjs-bulwark/data';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { mariaDbMissing, MariaDbServer } from '../../support/servers/mariadb-server.js';
import { postgresMissing, PostgresServer } from '../../support/servers/postgres-server.js';
import { randomTable } from '../../support/servers/shared-servers.js';
import { explained } from '../../support/explained.js';

let warn: ReturnType<typeof vi.spyOn>;
const warnings = (): unknown[] => warn.mock.calls.map((call: unknown[]) => call[0]);
const opened: DatabaseDataService[] = [];

beforeEach(() => {
  warn = vi.spyOn(Logger.prototype, 'warn').mockReturnValue(undefined);
});
afterEach(async () => {
  warn.mockRestore();
  await Promise.all(opened.splice(0).map((data) => data.close()));
});

async function open(url: string, options: Partial<DatabaseDataOptions> = {}): Promise<DatabaseDataService> {
  const data = await DatabaseDataService.open({ url, ...options });
  opened.push(data);
  return data;
}

async function incrementAll(data: DatabaseDataService, times: number): Promise<void> {
  const increment = async (): Promise<void> => {
    for (let done = false; !done;) {
      const found = await data.entry<number>('n');
      const put = data.put('n', (found?.value ?? 0) + 1, { ifVersion: found?.version ?? null });
      done = await put.then(
        () => true,
        (error: { code?: unknown }) => {
          if (error.code !== 'DATA_CONFLICT') throw error;
          return false;
        },
      );
    }
  };
  await Promise.all(Array.from({ length: times }, increment));
}

describe('a MariaDB with settings of its own', () => {
  const missing = mariaDbMissing();
  let server: MariaDbServer;

  beforeAll(async () => {
    if (missing !== undefined) return;
    server = await MariaDbServer.create(1, [
      '--sql-mode=NO_BACKSLASH_ESCAPES,ANSI_QUOTES',
      '--character-set-server=latin1',
      '--skip-character-set-client-handshake',
      '--transaction-isolation=SERIALIZABLE',
    ]);
    await server.query('SET GLOBAL autocommit = 0');
    await server.query("CREATE USER app IDENTIFIED BY 'top secret'");
    await server.query('GRANT ALL ON test.* TO app');
  }, 60_000);
  afterAll(() => server?.remove());

  it.skipIf(missing)('keeps what was put, to the byte, whatever its sessions begin with', async () => {
    const [data, other] = [await open(server.url()), await open(server.url())];
    const value = "ä\u{1F600} \\ ' \" \\' \n";
    await data.put('ü\u{1F600}\\\'"', value);

    expect(await other.get('ü\u{1F600}\\\'"')).toBe(value);
    await incrementAll(data, 20);
    expect(await other.get('n')).toBe(20);
    expect(warnings()).toEqual([]);
  });

  it.skipIf(missing)('is named in a warning when it does not sync at every commit', async () => {
    await server.query('SET GLOBAL innodb_flush_log_at_trx_commit = 2, GLOBAL sync_binlog = 0');
    await open(server.url());
    await server.query('SET GLOBAL innodb_flush_log_at_trx_commit = 0, GLOBAL sync_binlog = 1');
    await open(server.url());
    await server.query('SET GLOBAL innodb_flush_log_at_trx_commit = 3');
    await open(server.url());
    await server.query('SET GLOBAL innodb_flush_log_at_trx_commit = 1');

    const place = `The database mysql://127.0.0.1:${server.port}/test has`;
    expect(warnings()).toEqual([
      `${place} innodb_flush_log_at_trx_commit=2, so acknowledged writes may be lost when the machine or its power fails; expected 1`,
      `${place} sync_binlog=0, so acknowledged writes may be lost when the machine or its power fails and a replica takes over; expected 1`,
      `${place} innodb_flush_log_at_trx_commit=0, so acknowledged writes may be lost when the server crashes; expected 1`,
    ]);
  });

  it.skipIf(missing)('is refused where it takes no value of 1 MiB', async () => {
    await server.query('SET GLOBAL max_allowed_packet = 1048576');
    await expect(open(server.url())).rejects.toThrow(
      explained('max_allowed_packet=1048576; expected at least 1114112'),
    );
    await server.query('SET GLOBAL max_allowed_packet = 16777216');
  });

  it.skipIf(missing)('that is read-only is opened where the table is there, and says so to each write', async () => {
    const url = `mysql://app:top%20secret@127.0.0.1:${server.port}/test`;
    const data = await open(url);
    await data.put('a', 1);
    await server.query('SET GLOBAL read_only = 1');
    await expect(data.put('a', 2)).rejects.toMatchObject({ code: 'DATA_READ_ONLY', status: 503 });
    await expect(data.delete('a')).rejects.toMatchObject({ code: 'DATA_READ_ONLY' });
    expect(await (await open(url)).get('a')).toBe(1);
    await expect(open(url, { table: 'missing' })).rejects.toMatchObject({ code: 'DATA_READ_ONLY' });
    await server.query('SET GLOBAL read_only = 0');

    await data.put('a', 3);
    expect(await data.get('a')).toBe(3);
  });

  it.skipIf(missing)('shows no password where it refuses one', async () => {
    const opening = open(`mysql://app:wrong-secret@127.0.0.1:${server.port}/test`);

    await expect(opening).rejects.toMatchObject({ code: 'DATA_ACCESS_DENIED' });
    await expect(opening).rejects.toThrow(explained(/^((?!secret).)*$/));
  });
});

describe('a PostgreSQL with settings of its own', async () => {
  const missing = await postgresMissing();
  let server: PostgresServer;

  beforeAll(async () => {
    if (missing === undefined) {
      server = await PostgresServer.create([
        'default_transaction_isolation=serializable',
        'synchronous_commit=off',
        'fsync=off',
        'full_page_writes=off',
      ]);
    }
  }, 60_000);
  afterAll(() => server?.remove());

  it.skipIf(missing)('is named in a warning when it does not sync at every commit', async () => {
    await open(server.url());

    const place = `The database postgres://127.0.0.1:${server.port}/test has`;
    expect(warnings()).toEqual([
      `${place} fsync=off, so acknowledged writes may be lost when the machine or its power fails; expected on`,
      `${place} full_page_writes=off, so acknowledged writes may be lost when the power fails while a page is written; expected on`,
      `${place} synchronous_commit=off, so acknowledged writes may be lost when the server or its machine fails; expected on, or another value but off`,
    ]);
  });

  it.skipIf(missing)('repeats what lost against another transaction', async () => {
    const [data, other] = [await open(server.url()), await open(server.url())];
    await Promise.all([incrementAll(data, 10), incrementAll(other, 10)]);

    expect(await data.get('n')).toBe(20);
  });

  it.skipIf(missing)('that is read-only is opened where the table is there, and says so to each write', async () => {
    await (await open(server.url())).put('a', 1);
    await server.query('ALTER DATABASE test SET default_transaction_read_only = on');
    const data = await open(server.url());
    await expect(data.put('a', 2)).rejects.toMatchObject({ code: 'DATA_READ_ONLY', status: 503 });
    await expect(open(server.url(), { table: 'missing' })).rejects.toMatchObject({ code: 'DATA_READ_ONLY' });
    expect(await data.get('a')).toBe(1);
    await server.query('ALTER DATABASE test RESET default_transaction_read_only', 'postgres');
  });

  it.skipIf(missing)('is refused where its encoding is not UTF-8', async () => {
    await server.query("CREATE DATABASE other ENCODING 'LATIN1' TEMPLATE template0");

    await expect(open(server.url().replace(/test$/, 'other'))).rejects.toThrow(
      explained('encoded in LATIN1; expected UTF8'),
    );
  });
});

const kinds = [
  { name: 'MariaDB', missing: mariaDbMissing(), create: () => MariaDbServer.create(), schema: 'test' },
  { name: 'PostgreSQL', missing: await postgresMissing(), create: () => PostgresServer.create(), schema: 'public' },
];

describe.each(kinds)('the table on $name', ({ missing, create, schema }) => {
  let server: MariaDbServer | PostgresServer;

  beforeAll(async () => {
    if (missing === undefined) server = await create();
  }, 60_000);
  afterAll(() => server?.remove());

  it.skipIf(missing)('is created by all that find it missing at once', async () => {
    for (let i = 0; i < 5; i++) {
      const table = randomTable();
      const services = await Promise.all(Array.from({ length: 10 }, () => open(server.url(), { table, poolSize: 1 })));
      await Promise.all(services.map((data, at) => data.put(`k${at}`, at)));

      expect(await services[0]?.get('k9')).toBe(9);
      await Promise.all(opened.splice(0).map((data) => data.close()));
    }
  });

  it.skipIf(missing)('is refused when others have made it', async () => {
    await server.query(`CREATE TABLE ${schema}.foreign_one (id int PRIMARY KEY, value varchar(20) NOT NULL)`);

    await expect(open(server.url(), { table: 'foreign_one' })).rejects.toThrow(
      explained(
        /^The table "?foreign_one"? was not made by this version of the library: its columns are id .*; expected key /,
      ),
    );
  });

  it.skipIf(missing)(
    'is missed as something that may come back, and a refusal of its own is one for ever',
    async () => {
      const data = await open(server.url());
      await data.put('a', 1);
      await server.query(`ALTER TABLE ${schema}.bulwark_data ADD CONSTRAINT small CHECK (length(value) < 50)`);
      await expect(data.put('a', 'x'.repeat(60))).rejects.toMatchObject({ code: 'DATA_REJECTED', status: 422 });
      expect(await data.get('a')).toBe(1);
      await server.query(`DROP TABLE ${schema}.bulwark_data`);

      await expect(data.put('a', 2)).rejects.toMatchObject({ code: 'DATA_UNAVAILABLE', status: 503 });
    },
  );
});
