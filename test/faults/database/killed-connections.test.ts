import { setTimeout as delay } from 'node:timers/promises';
import { DatabaseDataService } from 'nestjs-bulwark/data';
import pg from 'pg';
import { expect, it } from 'vitest';
import { postgresServer, randomTable } from '../../support/servers/shared-servers.js';
import { lostPuts, Writers } from './writers.js';

const KILLS = 30;
const server = await postgresServer();

it.skipIf(server.missing)(
  'a killed PostgreSQL connection costs no operation, since none can have been carried out',
  { timeout: 60_000 },
  async () => {
    const table = randomTable();
    const url = `${server.url}?application_name=${table}`;
    const data = await DatabaseDataService.open({ url, table });
    const admin = new pg.Client({ connectionString: server.url });
    await admin.connect();
    const writers = new Writers(data, 5);
    let killed = 0;
    while (killed < KILLS) {
      await delay(20);
      const { rowCount } = await admin.query(
        'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1 ORDER BY random() LIMIT 1',
        [table],
      );
      killed += rowCount ?? 0;
    }
    const report = await writers.stop(`PostgreSQL, ${killed} connections killed`);
    const lost = await lostPuts(data, report.acknowledged);
    await data.close();
    await admin.query(`DROP TABLE "${table}"`);
    await admin.end();

    expect(report.failures).toEqual([]);
    expect(lost).toEqual([]);
  },
);
