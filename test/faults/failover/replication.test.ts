import { setTimeout as delay } from 'node:timers/promises';
import {
  databaseData,
  DataUnavailableException,
  FailoverDataService,
  type FailoverDataOptions,
} from 'nestjs-bulwark/data';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { mariaDbMissing, MariaDbServer } from '../../support/servers/mariadb-server.js';
import { until } from '../../support/until.js';
import { explained } from '../../support/explained.js';

const missing = mariaDbMissing();

describe.skipIf(missing !== undefined)('failoverData on MariaDB and its own replication', { timeout: 60_000 }, () => {
  let primary: MariaDbServer;
  let replica: MariaDbServer;
  let data: FailoverDataService | undefined;

  beforeAll(async () => {
    // One after the other: of two that are installed at the same moment one may fail.
    primary = await MariaDbServer.create(1);
    replica = await MariaDbServer.create(2);
    await replica.replicate(primary);
    await replica.query('SET GLOBAL read_only = 1');
  }, 60_000);

  afterEach(async () => {
    await data?.close();
    await primary.start();
  });

  afterAll(async () => {
    await Promise.all([primary.remove(), replica.remove()]);
  });

  async function open(reads: FailoverDataOptions['reads']): Promise<FailoverDataService> {
    data = await FailoverDataService.open({
      primary: databaseData({ url: primary.url() }),
      standbys: [{ replica: databaseData({ url: replica.url() }) }],
      reads,
    });
    return data;
  }

  async function replicated(key: string, value: unknown): Promise<void> {
    const text = JSON.stringify(value);
    await until(`${key} is on the replica`, async () => {
      const [row] = await replica.query('SELECT value FROM test.bulwark_data WHERE `key` = ?', [key]);
      return String(row?.['value']) === text;
    });
  }

  it("reads the replica while the primary is stopped, with reads: 'fallback'", async () => {
    const failover = await open('fallback');
    await failover.put('a', 'first');
    await replicated('a', 'first');

    await primary.stop();
    expect(await failover.get('a')).toBe('first');
    const listed: unknown[] = [];
    for await (const entry of failover.entries()) listed.push(entry);
    expect(listed).toEqual([['a', 'first']]);
    await expect(failover.put('a', 'second')).rejects.toThrow(DataUnavailableException);
    await primary.start();
    await until('a put is taken again', () =>
      failover.put('a', 'third').then(
        () => true,
        () => false,
      ),
    );

    expect(await failover.get('a')).toBe('third');
    await replicated('a', 'third');
    const [status] = await replica.query('SHOW SLAVE STATUS');
    expect(status?.['Last_Error']).toBe('');
  });

  it('reads no replica that lags further behind than { maxStaleness }', async () => {
    const maxStaleness = 2_000;
    const failover = await open({ maxStaleness });
    await failover.put('b', 'first');
    await replicated('b', 'first');

    await replica.query('STOP SLAVE');
    await failover.put('b', 'second');
    await delay(maxStaleness);
    await primary.stop('SIGKILL');
    await expect(failover.get('b')).rejects.toThrow(explained('lags too far behind'));

    await primary.start();
    await replica.query('START SLAVE');
    await until('the replica has caught up', () => {
      const staleness = failover.status().nodes[1]?.stalenessMs;
      return staleness !== undefined && staleness < maxStaleness / 2;
    });
    await primary.stop();
    expect(await failover.get('b')).toBe('second');
    await delay(maxStaleness);
    await expect(failover.get('b')).rejects.toThrow(explained('lags too far behind'));
  });

  it('takes a primary that was made read-only for none', async () => {
    const failover = await open('primary');
    await failover.put('c', 1);
    await primary.query("CREATE OR REPLACE USER writer@'%'");
    await primary.query("GRANT ALL ON test.* TO writer@'%'");
    await failover.close();
    data = await FailoverDataService.open({
      primary: databaseData({ url: primary.url().replace('root@', 'writer@') }),
    });

    await primary.query('SET GLOBAL read_only = 1');
    await expect(data.put('c', 2)).rejects.toMatchObject({ code: 'DATA_READ_ONLY' });
    expect(data.status().nodes).toMatchObject([{ state: 'readOnly' }]);
    expect(await data.get('c')).toBe(1);
    await primary.query('SET GLOBAL read_only = 0');
    await until('a put is taken again', () =>
      data!.put('c', 3).then(
        () => true,
        () => false,
      ),
    );

    expect(data.status().nodes).toMatchObject([{ state: 'up' }]);
  });
});
