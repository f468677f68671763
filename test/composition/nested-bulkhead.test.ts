import { Injectable } from '@nestjs/common';
import {
  Bulkhead,
  CircuitBreaker,
  Coalesce,
  fixed,
  Hedge,
  ResilienceService,
  Retry,
  Timeout,
  type ResilienceModuleOptions,
} from 'nestjs-bulwark';
import { lastValueFrom, Observable } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Deferred, pass, settle, startApp, watch, type Watched } from './scene.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** How many bodies of inner methods run at once, and did at most. */
class Gauge {
  now = 0;
  most = 0;

  async during<T>(work: () => Promise<T>): Promise<T> {
    this.most = Math.max(this.most, ++this.now);
    try {
      return await work();
    } finally {
      this.now--;
    }
  }
}

let inner = new Gauge();
let gates: Deferred[] = [];

const gate = (): Promise<unknown> => {
  const deferred = new Deferred();
  gates.push(deferred);
  return deferred.promise;
};

@Injectable()
class Other {
  @Bulkhead('http')
  async via<T>(work: () => Promise<T>): Promise<T> {
    return work();
  }
}

@Injectable()
class Repository {
  constructor(private readonly other: Other) {}

  @Bulkhead('db')
  async find(id: number, work: () => Promise<unknown> = () => Promise.resolve()): Promise<number> {
    return inner.during(async () => {
      await work();
      return id;
    });
  }

  @Bulkhead('db')
  async holding<T>(work: () => T): Promise<T> {
    return work();
  }

  @Bulkhead('db')
  async descend(depth: number): Promise<number> {
    return depth === 0 ? 0 : 1 + (await this.descend(depth - 1));
  }

  @Bulkhead('db')
  async across(id: number): Promise<number> {
    return this.other.via(() => this.find(id));
  }

  failures = 1;

  @Bulkhead('db')
  @Retry({ maxAttempts: 3, backoff: fixed(10) })
  @CircuitBreaker({ volumeThreshold: 100 })
  async flaky(id: number): Promise<number> {
    await Promise.resolve();
    if (this.failures-- > 0) throw new Error('down');
    return id;
  }

  @Bulkhead('db')
  @Hedge({ after: 10 })
  async hedged(id: number): Promise<number> {
    await gate();
    return id;
  }

  @Bulkhead('db')
  @Coalesce({ key: (id: number) => String(id) })
  async shared(id: number): Promise<number> {
    await gate();
    return id;
  }

  @Bulkhead('db')
  @Timeout(50)
  async hung(): Promise<void> {
    await gate();
  }

  @Bulkhead('db')
  rows(count: number): Observable<number> {
    return new Observable((subscriber) => {
      const next = async (): Promise<void> => {
        for (let row = 0; row < count; row++) subscriber.next(await this.find(row));
        subscriber.complete();
      };
      void next();
    });
  }

  @Bulkhead('db')
  async *pages(count: number): AsyncGenerator<number> {
    for (let page = 0; page < count; page++) yield await this.find(page);
  }
}

async function repository(
  bulkhead: object = { maxConcurrent: 1, maxQueue: 10 },
  options: ResilienceModuleOptions = {},
) {
  inner = new Gauge();
  gates = [];
  const policies = { db: { bulkhead: { maxConcurrent: 1, maxQueue: 10, ...bulkhead } }, http: { bulkhead: 5 } };
  const scene = await startApp([Repository, Other], { callContext: true, policies, ...options });
  const db = () => {
    const handle = scene
      .get(ResilienceService)
      .bulkheads()
      .find(({ name }) => name === 'db');
    return { active: handle?.active, waiting: handle?.waiting };
  };
  return { scene, service: scene.get(Repository), db };
}

const open = async (): Promise<void> => {
  gates.shift()?.resolve(undefined);
  await settle();
};

describe('a call that meets its own bulkhead, under callContext', () => {
  it('runs on the slot of the call around it, however deep, and counts once', async () => {
    const { service, db } = await repository();

    await expect(service.holding(() => service.find(1))).resolves.toBe(1);
    await expect(service.descend(20)).resolves.toBe(20);
    await expect(service.across(3)).resolves.toBe(3);

    let during: unknown;
    await service.holding(() => service.holding(() => (during = db())));
    expect(during).toEqual({ active: 1, waiting: 0 });
    expect(db()).toEqual({ active: 0, waiting: 0 });
  });

  it('does not take the slots of others, when all are held by calls that do the same', async () => {
    const { service, db } = await repository({ maxConcurrent: 4, maxQueue: 100 });

    const all = watch(Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map((id) => service.holding(() => service.find(id)))));
    await settle();

    expect(all.value).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(db()).toEqual({ active: 0, waiting: 0 });
  });

  it('waits for its turn on the loan, when two come at once and no slot is free', async () => {
    const { service } = await repository({ maxQueue: 0 });

    const both = watch(service.holding(() => Promise.all([1, 2, 3].map((id) => service.find(id, gate)))));
    await settle();
    for (let opened = 0; opened < 3; opened++) await open();

    expect(both.value).toEqual([1, 2, 3]);
    expect(inner.most).toBe(1);
  });

  it('takes a slot of its own, when the loan is out and one is free', async () => {
    const { service, db } = await repository({ maxConcurrent: 2 });

    const both = watch(service.holding(() => Promise.all([1, 2, 3].map((id) => service.find(id, gate)))));
    await settle();
    expect([inner.now, db().active]).toEqual([2, 2]);
    for (let opened = 0; opened < 3; opened++) await open();

    expect(both.value).toEqual([1, 2, 3]);
  });

  it('takes a slot that comes free, when that is before its turn on the loan', async () => {
    const { service, db } = await repository({ maxConcurrent: 2 });
    const stranger = watch(service.find(0, gate));

    const both = watch(service.holding(() => Promise.all([1, 2].map((id) => service.find(id, gate)))));
    await settle();
    expect([inner.now, db().active]).toEqual([2, 2]);
    await open();

    expect(stranger.value).toBe(0);
    expect([inner.now, db().active]).toEqual([2, 2]);
    await open();
    await open();
    expect(both.value).toEqual([1, 2]);
    expect(db()).toEqual({ active: 0, waiting: 0 });
  });

  it('lets the more important first on the loan', async () => {
    const order: number[] = [];
    const { service } = await repository({ priority: ({ args }: { args: readonly unknown[] }) => Number(args[0]) });

    const all = watch(
      service.holding(() =>
        Promise.all(
          [5, 1, 9].map((id) =>
            service.find(id, () => {
              order.push(id);
              return gate();
            }),
          ),
        ),
      ),
    );
    await settle();
    for (let opened = 0; opened < 3; opened++) await open();

    expect(all.settled).toBe(true);
    expect(order).toEqual([5, 9, 1]);
  });

  it('keeps the slot taken, when the outer call has ended and it still runs', async () => {
    const { service, db } = await repository();
    let left: Watched | undefined;

    await service.holding(() => {
      left = watch(service.find(1, gate));
    });
    const stranger = watch(service.find(2));
    await settle();
    expect(db()).toEqual({ active: 1, waiting: 1 });
    expect(stranger.settled).toBe(false);
    await open();

    expect([left?.value, stranger.value]).toEqual([1, 2]);
    expect(db()).toEqual({ active: 0, waiting: 0 });
  });

  it('takes a slot of its own, when the outer call has ended and given its slot back', async () => {
    const { service, db } = await repository();
    const later = new Deferred<void>();
    let left: Watched | undefined;

    await service.holding(() => {
      left = watch(later.promise.then(() => service.find(1, gate)));
    });
    const stranger = watch(service.find(2, gate));
    later.resolve();
    await settle();

    expect(db()).toEqual({ active: 1, waiting: 1 });
    await open();
    await open();
    expect([left?.value, stranger.value]).toEqual([1, 2]);
  });

  it('is made again on the loan, and hedged as far as there is room', async () => {
    const { service, db } = await repository();

    const retried = watch(service.holding(() => service.flaky(1)));
    await pass(20);
    expect(retried.value).toBe(1);

    const hedged = watch(service.holding(() => service.hedged(2)));
    await pass(50);
    expect([gates.length, db().active]).toEqual([1, 1]);
    await open();
    expect(hedged.value).toBe(2);
    await settle();
    for (let left = gates.length; left > 0; left--) await open();
    expect(db()).toEqual({ active: 0, waiting: 0 });
  });

  it('shares a run on the slot of the call that began it', async () => {
    const { service, db } = await repository();

    const both = watch(service.holding(() => Promise.all([service.shared(1), service.shared(1)])));
    await settle();
    expect(gates.length).toBe(1);
    await open();

    expect(both.value).toEqual([1, 1]);
    expect(db()).toEqual({ active: 0, waiting: 0 });
  });

  it('gives the loan back after abandonAfter, when it was cut and its work hangs', async () => {
    const { scene, service, db } = await repository({ abandonAfter: 1_000 });

    const outer = watch(
      service.holding(async () => {
        await service.hung().catch(() => undefined);
        return service.find(2);
      }),
    );
    await pass(1_049);
    expect(outer.settled).toBe(false);
    await pass(1);

    expect(outer.value).toBe(2);
    expect(scene.events.filter((event) => event === 'bulkhead abandoned')).toHaveLength(1);
    expect(db()).toEqual({ active: 0, waiting: 0 });
  });

  it('runs inside streams as well', async () => {
    const { service, db } = await repository();
    const pages: number[] = [];

    const rows = watch(lastValueFrom(service.rows(3)));
    await settle();
    for await (const page of service.pages(3)) pages.push(page);

    expect([rows.value, pages]).toEqual([2, [0, 1, 2]]);
    expect(db()).toEqual({ active: 0, waiting: 0 });
  });

  it('ends its wait on the loan with maxWait, its caller and the app', async () => {
    const { scene, service, db } = await repository({ maxWait: 100 });
    const [first, second] = [new Gauge(), new Gauge()];

    const late = watch(
      service.holding(() => Promise.all([service.find(1, gate), first.during(() => service.find(2))])),
    );
    await pass(100);
    expect(late.error).toMatchObject({ code: 'BULKHEAD_FULL' });
    await open();

    const closed = watch(
      service.holding(() => Promise.all([service.find(1, gate), second.during(() => service.find(2))])),
    );
    await settle();
    await scene.module.close();
    await settle();

    expect(closed.error).toMatchObject({ code: 'SHUTDOWN' });
    expect(db()).toEqual({ active: 1, waiting: 0 });
  });
});

describe('calls that wait for each other across two bulkheads', () => {
  it('end after 30 s without a slot, when nothing else bounds them', async () => {
    const policies = {
      db: { bulkhead: { maxConcurrent: 1, maxQueue: 5 } },
      http: { bulkhead: { maxConcurrent: 1, maxQueue: 5 } },
    };
    const { scene, service } = await repository({}, { policies });
    const other = scene.get(Other);
    const both = new Deferred<void>();

    const one = watch(service.holding(() => both.promise.then(() => other.via(() => Promise.resolve('one')))));
    const two = watch(other.via(() => both.promise.then(() => service.find(2))));
    await settle();
    both.resolve();
    await pass(30_000);

    expect([one, two].map(({ settled }) => settled)).toEqual([true, true]);
    expect([one, two].some(({ error }) => (error as { code?: string } | undefined)?.code === 'BULKHEAD_FULL')).toBe(
      true,
    );
  });
});

describe('a call that meets its own bulkhead, without callContext', () => {
  it('ends after 30 s with an error that says so, when all slots are held by calls like it', async () => {
    const { service, db } = await repository({ maxConcurrent: 2 }, { callContext: false });

    const all = [1, 2].map((id) => watch(service.holding(() => Promise.resolve().then(() => service.find(id)))));
    await pass(29_999);
    expect(all.map(({ settled }) => settled)).toEqual([false, false]);
    await pass(1);

    expect(all.map(({ error }) => (error as { code: string }).code)).toEqual(['BULKHEAD_FULL', 'BULKHEAD_FULL']);
    expect(db()).toEqual({ active: 0, waiting: 0 });
  });

  it('waits on, when maxWait is Infinity', async () => {
    const { service } = await repository({ maxWait: Infinity }, { callContext: false });

    const nested = watch(service.holding(() => service.find(1)));
    await pass(3_600_000);

    expect(nested.settled).toBe(false);
  });
});
