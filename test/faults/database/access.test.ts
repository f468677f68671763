import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import { DataAccessException, databaseData, DatabaseDataService, FailoverDataService } from 'nestjs-bulwark/data';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../contract/temporary-folder.js';
import { mariaDbMissing, MariaDbServer } from '../../support/servers/mariadb-server.js';
import { postgresMissing, PostgresServer, postgresUser } from '../../support/servers/postgres-server.js';

Logger.overrideLogger(false);

async function roundTrip(url: string): Promise<unknown> {
  const data = await DatabaseDataService.open({ url });
  await data.put('a', url);
  return data.get('a').finally(() => data.close());
}

async function isRefusedForGood(url: string): Promise<void> {
  await expect(roundTrip(url)).rejects.toThrow(DataAccessException);
  const queue = { path: join(await temporaryFolder(), 'queue') };
  const opening = FailoverDataService.open({ primary: databaseData({ url }), writes: 'queue', queue });
  const operation = opening.then((data) => data.put('a', 1).finally(() => data.close()));
  await expect(operation).rejects.toThrow(DataAccessException);
}

const postgres = await postgresMissing();

describe.skipIf(postgres)('a PostgreSQL server that checks who comes', () => {
  let server: PostgresServer;
  let sockets: string;

  beforeAll(async () => {
    sockets = await mkdtemp(join(tmpdir(), 'bulwark-socket-'));
    const uid = postgresUser();
    if (uid !== undefined) await chown(sockets, uid, uid);
    server = await PostgresServer.create([`unix_socket_directories=${sockets}`]);
    await server.query('CREATE SCHEMA app; CREATE SCHEMA "Big One"; CREATE SCHEMA secret');
    await server.query("CREATE ROLE shop LOGIN PASSWORD 'right'; CREATE ROLE nobody NOLOGIN");
    const rules = ['host all postgres all trust', 'local all postgres trust', 'host test shop all scram-sha-256'];
    await writeFile(join(server.dataFolder, 'pg_hba.conf'), `${rules.join('\n')}\n`);
    await server.query('SELECT pg_reload_conf()');
  }, 60_000);
  afterAll(async () => {
    await server?.remove();
    if (sockets !== undefined) await rm(sockets, { recursive: true, force: true });
  });

  it.each([
    '?schema=app',
    '?schema=Big%20One',
    '?sslmode=prefer',
    '?pgbouncer=true&connection_limit=1',
    '?options=-c%20search_path%3Dapp&application_name=shop',
  ])('is used as the address says: %s', async (query) => {
    const url = server.url() + query;
    expect(await roundTrip(url)).toBe(url);
  });

  it('is reached at its socket', async () => {
    const { port } = server;
    for (const url of [
      `postgres://postgres@/test?host=${sockets}&port=${port}`,
      `postgres://postgres@localhost:${port}/test?host=${encodeURIComponent(sockets)}`,
      `postgres://postgres@${encodeURIComponent(sockets)}:${port}/test?sslmode=prefer`,
      `postgres:///test?host=${sockets}&user=postgres&port=${port}`,
    ])
      expect(await roundTrip(url)).toBe(url);
  });

  it.each([
    ['a wrong password', 'shop:wrong', ''],
    ['no password', 'shop', ''],
    ['nobody whom it knows', 'stranger:right', ''],
    ['no schema of that name', 'postgres', '?schema=nope'],
    ['a schema without rights', 'shop:right', '?schema=secret'],
  ])('refuses for good, at the start and behind a failover: %s', async (_, user, query) => {
    await isRefusedForGood(`postgres://${user}@127.0.0.1:${server.port}/test${query}`);
  });
});

const mariaDb = mariaDbMissing();

describe.skipIf(mariaDb)('a MariaDB server that checks who comes', () => {
  let server: MariaDbServer;

  beforeAll(async () => {
    server = await MariaDbServer.create();
    await roundTrip(server.url());
    for (const [user, rights] of [
      ['stranger', undefined],
      ['reader', 'SELECT ON test.*'],
      ['locked', 'ALL ON test.*'],
    ] as const) {
      await server.query(`CREATE USER ${user}@'%' IDENTIFIED BY 'right'`);
      if (rights !== undefined) await server.query(`GRANT ${rights} TO ${user}@'%'`);
    }
    await server.query("ALTER USER locked@'%' ACCOUNT LOCK");
  }, 60_000);
  afterAll(() => server?.remove());

  it('is reached at its socket, or in clear text where nothing else is offered', async () => {
    const socket = join(server.dataFolder, 's');
    for (const url of [
      `mysql://root@localhost/test?socket=${socket}`,
      `mysql://root@localhost/test?host=${socket}`,
      `mysql://root@/test?unix_socket=${socket}`,
      `${server.url()}?sslmode=prefer`,
      `${server.url()}?ssl-mode=PREFERRED`,
    ])
      expect(await roundTrip(url)).toBe(url);
  });

  it.each([
    ['a wrong password', 'reader:wrong'],
    ['no password', 'reader'],
    ['no rights on the database', 'stranger:right'],
    ['no right to write', 'reader:right'],
    ['a locked account', 'locked:right'],
  ])('refuses for good, at the start and behind a failover: %s', async (_, user) => {
    await isRefusedForGood(`mysql://${user}@127.0.0.1:${server.port}/test`);
  });
});
