import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mariaDbMissing, MariaDbServer } from '../support/servers/mariadb-server.js';
import { postgresMissing, PostgresServer } from '../support/servers/postgres-server.js';

const kinds = [
  { name: 'MariaDB', table: 'test.t', missing: mariaDbMissing(), create: () => MariaDbServer.create() },
  { name: 'PostgreSQL', table: 'public.t', missing: await postgresMissing(), create: () => PostgresServer.create() },
];

describe.each(kinds)('$name, a server of its own', ({ missing, create, table }) => {
  let server: MariaDbServer | PostgresServer;

  beforeAll(async () => {
    if (missing === undefined) server = await create();
  }, 60_000);
  afterAll(() => server?.remove());

  it.skipIf(missing)('keeps its data when it is stopped, killed, and paused', async () => {
    await server.query(`CREATE TABLE ${table} (a int)`);
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      await server.query(`INSERT INTO ${table} VALUES (1)`);
      await server.stop(signal);
      await expect(server.query('SELECT 1')).rejects.toThrow('ECONNREFUSED');
      await server.start();
    }
    await server.pause();
    const answer = server.query(`SELECT a FROM ${table}`);
    await server.resume();

    expect((await answer).length).toBe(2);
  });
});
