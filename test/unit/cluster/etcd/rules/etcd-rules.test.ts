import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Injectable } from '@nestjs/common';
import { Resilient, type ResilienceEvent } from 'nestjs-bulwark';
import type { EtcdRuleStatus, ResilienceEtcdOptions } from 'nestjs-bulwark/etcd';
import { beforeEach, describe, expect, it } from 'vitest';
import { DiskCopy } from '../../../../../lib/cluster/etcd/disk-copy.js';
import { FakeEtcd } from '../../../../support/fake-etcd.js';
import { fleetApp } from '../../../../support/fleet-app.js';
import { settle } from '../../../../support/settle.js';
import { until } from '../../../../support/until.js';

@Injectable()
class Payments {
  @Resilient('payments')
  async charge(): Promise<string> {
    return 'charged';
  }
}

let etcd: FakeEtcd;
let folder: string;

beforeEach(async () => {
  etcd = new FakeEtcd(50);
  folder = await mkdtemp(join(tmpdir(), 'etcd-rules-'));
  return () => rm(folder, { recursive: true, force: true });
});

const timeout = (ms: unknown, more: object = {}): string =>
  JSON.stringify({ ...more, policies: { payments: { timeout: ms } } });

async function start(options: Partial<ResilienceEtcdOptions> = {}, processName?: string, file?: string) {
  const member = await fleetApp({
    etcd,
    options: { rules: { spread: 0 }, ...options },
    app: { policies: { payments: { timeout: 1_000 } }, ...(file !== undefined && { rules: { file } }) },
    providers: [Payments],
    ...(processName !== undefined && { processName }),
  });
  const changes: ResilienceEvent[] = [];
  member.resilience.events$.subscribe((event) => changes.push(event));
  const limit = (): unknown => member.resilience.plan()[0]?.policies[0]?.options.perAttempt;
  const put = async (text: string): Promise<string> => {
    const revision = await etcd.put('app/rules', text);
    await member.clock.advance(1);
    return revision;
  };
  return { ...member, changes, limit, put };
}

async function status(processName = 'shop-1'): Promise<EtcdRuleStatus> {
  await settle();
  return JSON.parse((await etcd.get(`app/status/${processName}`))?.value ?? 'null') as EtcdRuleStatus;
}

describe('rules from etcd', () => {
  it('are in force from the start, and at once when they are put', async () => {
    const revision = await etcd.put('app/rules', timeout(300));
    const { limit, put, changes, clock } = await start();
    const atStart = limit();
    const second = await put(timeout(200, { version: 2 }));

    expect([atStart, limit()]).toEqual([300, 200]);
    expect(changes).toMatchObject([
      {
        type: 'ruleChange',
        from: 300,
        to: 200,
        by: 'app/rules',
        source: 'etcd',
        reason: `revision ${second}`,
        version: 2,
      },
    ]);
    expect(second).not.toBe(revision);
    expect(await status()).toEqual({
      revision: second,
      applied: true,
      version: expect.stringMatching(/^\d+\.\d+\.\d+/) as string,
      host: expect.any(String) as string,
      pid: process.pid,
      at: clock.wallNow(),
    });
  });

  it('are applied within a moment of chance', async () => {
    const { limit, clock } = await start({ rules: true });
    await etcd.put('app/rules', timeout(200));
    await clock.advance(0);
    const atOnce = limit();

    await clock.advance(5_000);

    expect([atOnce, limit()]).toEqual([1_000, 200]);
  });

  it('are refused as a whole where something is wrong, and the reasons are told', async () => {
    const { limit, put, lines } = await start();
    await put(timeout(200));
    const revision = await put(JSON.stringify({ policies: { payments: { timeout: -1 }, nobody: { timeout: 5 } } }));
    const told = await status();
    await put('{ no JSON');

    expect(limit()).toBe(200);
    expect(told).toMatchObject({
      revision,
      applied: false,
      refused: [{ path: 'policies.payments.timeout' }, { path: 'policies.nobody' }],
    });
    expect((await status()).refused?.[0]?.message).toContain('expected JSON');
    expect(lines.filter((line) => line.startsWith('error'))).toHaveLength(2);
  });

  it('are not refused for fields of a later version, which are told', async () => {
    const { limit, put } = await start();

    await put(JSON.stringify({ later: 1, policies: { payments: { timeout: { perAttempt: 150, later: true } } } }));

    expect(limit()).toBe(150);
    expect(await status()).toMatchObject({
      applied: true,
      unknown: ['later', 'policies.payments.timeout.later'],
    });
  });

  it.each([
    ['the fields that are not known', 'later', 10_000],
    ['the faults', 'timeout', 1],
  ])('are told of shortly, however long %s are', async (_what, field, count) => {
    const name = 'n'.repeat(60_000);
    const fields = Array.from({ length: count }, (_, i) => [count === 1 ? field : `${field}${i}`, 'x']);
    const { put } = await start();

    await put(JSON.stringify({ policies: { [name]: Object.fromEntries(fields) as object } }));

    const { refused = [], unknown = [] } = await status();
    expect(refused.length + unknown.length).toBe(Math.min(100, Math.max(2, count)));
    expect(etcd.entries.get('app/status/shop-1')?.value.length).toBeLessThan(64 * 1024);
  });

  it('are applied by a share of the processes, and by more when the share grows', async () => {
    const names = Array.from({ length: 24 }, (_, index) => `shop-${index}`);
    const members = await Promise.all(names.map((name) => start({}, name)));
    const applied = async (share: number): Promise<string[]> => {
      await etcd.put('app/rules', timeout(200 + share, { share, version: 7 }));
      await Promise.all(members.map(({ clock }) => clock.advance(1)));
      return names.filter((_, index) => members[index]?.limit() === 200 + share);
    };

    const [none, some, more, all] = [await applied(0), await applied(0.4), await applied(0.8), await applied(1)];

    expect(none).toEqual([]);
    expect(some.length).toBeGreaterThan(3);
    expect(some.length).toBeLessThan(18);
    expect(more).toEqual(expect.arrayContaining(some));
    expect(all).toEqual(names);
  });

  it('are only looked at by the processes outside of their share', async () => {
    const { limit, put } = await start();
    const revision = await put(timeout(200, { share: 0 }));
    const right = await status();
    await put(timeout(-200, { share: 0 }));
    const wrong = await status();
    await put(timeout(200, { share: 2 }));

    expect(limit()).toBe(1_000);
    expect(right).toMatchObject({ revision, applied: false });
    expect(right.refused).toBeUndefined();
    expect(wrong.refused).toHaveLength(1);
    expect((await status()).refused).toMatchObject([{ path: 'share' }]);
  });

  it('stay when their key is gone; an empty document takes them back', async () => {
    const { limit, put, lines, clock } = await start();
    await put(timeout(200));
    await etcd.delete('app/rules');
    await clock.advance(1);
    const gone = limit();
    await put('{}');

    expect([gone, limit()]).toEqual([200, 1_000]);
    expect(lines).toContainEqual(expect.stringMatching(/^warn app\/rules is gone/));
  });

  it('go before those of a file, at start and when the file changes', async () => {
    const file = join(folder, 'rules.json');
    await writeFile(file, timeout(900));
    const { limit, put, log } = await start({}, undefined, file);
    const fromFile = limit();
    await put(timeout(200));

    await writeFile(file, timeout(700));
    await until('the file is read', () =>
      log.ofBulwark('warn').some((line) => line.includes('the rules come from etcd')),
    );

    expect([fromFile, limit()]).toEqual([900, 200]);
  });

  it('leave those of a file in force where they are refused', async () => {
    const file = join(folder, 'rules.json');
    await writeFile(file, timeout(900));
    await etcd.put('app/rules', timeout(-1));

    const { limit } = await start({}, undefined, file);

    expect(limit()).toBe(900);
  });

  it('ignore keys that only begin alike', async () => {
    await etcd.put('app/rules-of-others', timeout(5));
    const { limit } = await start();

    expect(limit()).toBe(1_000);
  });
});

describe('a start without etcd', () => {
  const cacheDir = (): string => join(folder, 'cache');
  const copy = (): DiskCopy => new DiskCopy(cacheDir(), 'rules', 'app/');

  it('takes the last good set that this machine has kept, and says so', async () => {
    const first = await start({ cacheDir: cacheDir() });
    const revision = await first.put(timeout(200));
    await first.put(timeout(-1));
    await first.module.close();
    etcd.away = 'refuses';

    const { limit, lines } = await start({ cacheDir: cacheDir() });

    expect(limit()).toBe(200);
    expect(lines).toEqual([
      `warn etcd has not answered: those of revision ${revision}, kept in ${copy().path}, are taken`,
    ]);
    expect((await stat(copy().path)).mode & 0o777).toBe(0o600);
  });

  it('waits no longer than one request may take, starts with what the image has, and follows etcd when it is back', async () => {
    etcd.away = 'refuses';
    const began = performance.now();
    const { limit, lines, clock } = await start();
    const atStart = limit();
    expect(performance.now() - began).toBeLessThan(1_000);

    etcd.away = undefined;
    await etcd.put('app/rules', timeout(200));
    await until('the rules', async () => {
      await clock.advance(1);
      return limit() === 200;
    });

    expect(atStart).toBe(1_000);
    expect(lines).toEqual(['warn etcd has not answered: the app starts without its rules']);
  });

  it('takes the kept set where that in etcd is wrong, and still tells what is wrong', async () => {
    const first = await start({ cacheDir: cacheDir() });
    await first.put(timeout(200));
    await first.module.close();
    const revision = await etcd.put('app/rules', timeout(-1));

    const { limit } = await start({ cacheDir: cacheDir() });

    expect(limit()).toBe(200);
    expect(await status()).toMatchObject({ revision, applied: false, refused: [{}] });
  });

  it('goes on without a kept set that cannot be read', async () => {
    await copy().write('{ "half": ');
    etcd.away = 'refuses';

    const { limit, lines } = await start({ cacheDir: cacheDir() });

    expect(limit()).toBe(1_000);
    expect(lines[0]).toMatch(/^error Rules kept in .* cannot be read/);
    expect(await readFile(copy().path, 'utf8')).toBe('{ "half": ');
  });
});

describe('the status of a process', () => {
  it('goes with the process', async () => {
    const { put, module } = await start();
    await put('{}');
    expect(await status()).toMatchObject({ applied: true });

    await module.close();

    expect(await etcd.get('app/status/shop-1')).toBeUndefined();
  });
});
