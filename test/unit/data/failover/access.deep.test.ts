import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import { DataAccessException, databaseData, FailoverDataService, fileData } from 'nestjs-bulwark/data';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../contract/temporary-folder.js';
import { FailoverScene } from '../../../support/failover-scene.js';
import { MemoryDataService } from '../../../support/memory-data.service.js';
import { mysqlServer, postgresServer } from '../../../support/servers/shared-servers.js';

Logger.overrideLogger(false);
const servers = await Promise.all([mysqlServer(), postgresServer()]);
const DENIED = { error: new DataAccessException('no right to write') };

describe('failoverData where a node does not let it in', () => {
  for (const server of servers) {
    it.skipIf(server.missing)(`fails at the start: no such database on ${server.name}`, async () => {
      const url = Object.assign(new URL(server.url), { pathname: '/bulwark_not_there' }).href;

      await expect(FailoverDataService.open({ primary: databaseData({ url }) })).rejects.toThrow(DataAccessException);
    });
  }

  it('fails at the start: a path that is a file', async () => {
    const path = join(await temporaryFolder(), 'file');
    await writeFile(path, '');

    await expect(FailoverDataService.open({ primary: fileData({ path }) })).rejects.toMatchObject({
      code: 'DATA_ACCESS_DENIED',
      explanation: expect.stringMatching(/cannot be opened: EEXIST.*; name a path that is a folder/) as string,
    });
    await expect(FailoverDataService.open({ primary: fileData({ path: join(path, 'x') }) })).rejects.toMatchObject({
      explanation: expect.stringContaining('ENOTDIR') as string,
    });
  });

  it('acknowledges nothing into the queue while rights are missing, and keeps what is in it', async () => {
    const scene = new FailoverScene();
    const data = await scene.openQueued();
    scene.primary.fault = 'hangs';
    const queued = data.put('a', 1);
    await scene.clock.advance(600);
    await queued;
    scene.primary.fault = DENIED;
    await scene.clock.advance(5_000);

    await expect(data.put('b', 2)).rejects.toThrow(DataAccessException);
    expect(Object.keys(scene.onDisk())).toEqual(['a']);
    expect(scene.onDisk('rejected')).toEqual({});
    expect(data.status().nodes[0]?.state).toBe('up');
  });

  it('gives back both folders of the queue where it cannot be recovered', async () => {
    const scene = new FailoverScene();
    const pending = scene.folder('pending');
    pending.fault = { error: new Error('damaged') };

    await expect(scene.openQueued()).rejects.toThrow('damaged');
    expect([pending.closed, scene.folder('rejected').closed, scene.primary.closed]).toEqual([true, true, false]);
  });

  it('lets a mirror without rights fail by itself', async () => {
    const scene = new FailoverScene();
    const mirror = new MemoryDataService();
    const data = await scene.open({ standbys: [{ mirror }], reads: 'fallback' });
    mirror.fault = DENIED;
    await data.put('a', 1);

    expect(await data.get('a')).toBe(1);
  });
});
