import { Injectable, SetMetadata } from '@nestjs/common';
import { Retry, Signal, Timeout } from 'nestjs-bulwark';
import { EtcdService, LeaderOnly } from 'nestjs-bulwark/etcd';
import { beforeEach, describe, expect, it } from 'vitest';
import { FakeEtcd } from '../../../../support/fake-etcd.js';
import { fleetApp, type FleetApp } from '../../../../support/fleet-app.js';
import { errorOf, settle } from '../../../../support/settle.js';
import { until } from '../../../../support/until.js';

const untilAborted = (signal: AbortSignal | undefined): Promise<never> =>
  new Promise((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason as Error)));

@Injectable()
class Reports {
  runs = 0;
  attempts = 0;

  @LeaderOnly('reports')
  async run(): Promise<number | undefined> {
    await Promise.resolve();
    return ++this.runs;
  }

  @LeaderOnly('reports')
  async last(_from: string, @Signal() signal?: AbortSignal): Promise<void> {
    return untilAborted(signal);
  }

  @Timeout(60_000)
  @LeaderOnly('reports')
  async guardedOutside(@Signal() signal?: AbortSignal): Promise<void> {
    return untilAborted(signal);
  }

  @LeaderOnly('reports')
  @Retry(3)
  async guardedInside(@Signal() signal?: AbortSignal): Promise<void> {
    this.attempts++;
    return untilAborted(signal);
  }
}

let etcd: FakeEtcd;

beforeEach(() => {
  etcd = new FakeEtcd(50);
});

interface Member extends FleetApp {
  reports: Reports;
  etcdService: EtcdService;
}

async function start(processName: string, ttl = 15): Promise<Member> {
  const member = await fleetApp({ etcd, processName, providers: [Reports], options: { ttl } });
  return { ...member, reports: member.module.get(Reports), etcdService: member.module.get(EtcdService) };
}

const leads = ({ etcdService }: Member): boolean => etcdService.leadership('reports') !== undefined;

async function leader(processName = 'shop-1', ttl = 15): Promise<Member> {
  const member = await start(processName, ttl);
  await until(`${processName} leads`, () => leads(member));
  return member;
}

describe('a method that only the leader runs', () => {
  it('runs in one of the processes, and the others say nothing', async () => {
    const first = await leader();
    const second = await start('shop-2');
    await settle();

    const answers = [await first.reports.run(), await second.reports.run()];

    expect(answers).toEqual([1, undefined]);
    expect(second.reports.runs).toBe(0);
    expect(second.lines).toEqual([]);
    expect(first.lines).toEqual(["log This process leads 'reports'"]);
    const key = await etcd.get('app/leaders/reports');
    expect(first.etcdService.leadership('reports')).toEqual({
      key: 'app/leaders/reports',
      createRevision: key?.createRevision,
    });
    expect(key?.value).toBe('shop-1');
  });

  it('is cut when the app of the leader closes, and the next process leads', async () => {
    const first = await leader();
    const second = await start('shop-2');
    const running = errorOf(first.reports.last('monday'));

    await first.module.close();

    expect(await running).toMatchObject({ name: 'AbortError', message: expect.stringContaining('closing') as string });
    await until('the next leads', () => leads(second));
    expect([leads(first), await second.reports.run()]).toEqual([false, 1]);
  });

  it.each(['last', 'guardedOutside', 'guardedInside'] as const)(
    'is cut when etcd has lost the lease, whatever stands around it (%s)',
    async (method) => {
      const first = await leader();
      const running = errorOf(method === 'last' ? first.reports.last('monday') : first.reports[method]());
      await settle();

      etcd.expire((await etcd.get('app/leaders/reports'))?.lease as string);

      expect(await running).toMatchObject({ name: 'AbortError' });
      expect([leads(first), first.reports.attempts]).toEqual([false, method === 'guardedInside' ? 1 : 0]);
    },
  );

  it('is cut by the signal of its caller too', async () => {
    const { reports } = await leader();
    const leaving = new AbortController();
    const running = errorOf(reports.last('monday', leaving.signal));
    await settle();

    leaving.abort(new Error('left'));

    expect(await running).toMatchObject({ message: 'left' });
  });

  it('is cut 2/3 of the life of the lease after it was renewed last, when nothing is heard of etcd', async () => {
    const first = await leader('shop-1', 1);
    const running = errorOf(first.reports.last('monday'));
    await settle();
    etcd.away = 'refuses';

    await running;

    // It goes by when the renewal was sent, a little before etcd had it.
    const lastedMs = performance.now() - etcd.renewedAt;
    expect(lastedMs).toBeGreaterThan(600);
    expect(lastedMs).toBeLessThan(6_670);
    expect(leads(first)).toBe(false);
    etcd.away = undefined;
    await until('it leads again', () => leads(first));
  });

  it('ends and is won anew when its key is deleted by hand', async () => {
    const first = await leader();
    const before = first.etcdService.leadership('reports')?.createRevision;

    await etcd.delete('app/leaders/reports');

    expect(leads(first)).toBe(false);
    await until('it leads again', () => leads(first));
    expect(first.etcdService.leadership('reports')?.createRevision).not.toBe(before);
  });

  it('ends when somebody else has put the key', async () => {
    const first = await leader();

    await etcd.delete('app/leaders/reports');
    await etcd.put('app/leaders/reports', 'by hand');
    await settle();

    expect(leads(first)).toBe(false);
  });

  it('is led by whoever has put the key, also where the answer was lost', async () => {
    let lost = 0;
    etcd.afterPut = () => {
      if (lost++ === 0) throw new Error('no answer in time');
    };

    const { etcdService } = await leader();

    const key = await etcd.get('app/leaders/reports');
    expect(etcdService.leadership('reports')?.createRevision).toBe(key?.createRevision);
    expect(lost).toBe(1);
  });

  it('is stood for as soon as etcd is there', async () => {
    etcd.away = 'refuses';
    const first = await start('shop-1');
    expect(leads(first)).toBe(false);

    etcd.away = undefined;

    await until('it leads', () => leads(first));
  });

  it('keeps its name, its parameters and its metadata', () => {
    class Job {
      @LeaderOnly('jobs')
      @SetMetadata('inside', 1)
      async run(_one: string, _two: string): Promise<void> {
        await Promise.resolve();
      }
    }
    const { run } = Job.prototype as unknown as Record<'run', () => unknown>;

    expect([run.name, run.length, Reflect.getMetadata('inside', run)]).toEqual(['run', 2, 1]);
  });

  it('runs in the leader alone where a factory has made the instance', async () => {
    await leader('shop-1');
    const providers = [{ provide: 'reports', useFactory: () => new Reports() }];
    const { module } = await fleetApp({ etcd, processName: 'shop-2', providers });

    expect(await module.get<Reports>('reports').run()).toBeUndefined();
  });

  it('runs in the next app of a process, on an instance that both were given', async () => {
    const reports = new Reports();
    const providers = [{ provide: 'reports', useValue: reports }];
    const first = await fleetApp({ etcd, processName: 'shop-1', providers });
    await until('the first leads', async () => (await reports.run()) !== undefined);
    await first.module.close();

    await fleetApp({ etcd, processName: 'shop-2', providers });

    await until('the second leads', async () => (await reports.run()) !== undefined);
  });

  it('runs where there is no module', async () => {
    const reports = new Reports();

    expect([await reports.run(), await reports.run()]).toEqual([1, 2]);
  });

  it('asks nothing of etcd where nobody stands for anything', async () => {
    await fleetApp({ etcd });
    await settle();

    expect([etcd.watches, etcd.revision]).toEqual([0, '1']);
  });
});
