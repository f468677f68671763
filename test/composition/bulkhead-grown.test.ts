import { Injectable, Logger } from '@nestjs/common';
import {
  adaptive,
  Bulkhead,
  BulkheadFullException,
  CircuitBreaker,
  CircuitOpenException,
  Resilient,
} from 'nestjs-bulwark';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Deferred, settle, startApp, watch } from './scene.js';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const byFirst = ({ args }: { args: readonly unknown[] }): number => args[0] as number;

@Injectable()
class Reports {
  readonly begun: number[] = [];
  readonly ends: Deferred[] = [];

  @CircuitBreaker({ volumeThreshold: 1, timeout: false })
  @Bulkhead({ maxConcurrent: 1, maxQueue: 2, priority: byFirst })
  render(priority: number): Promise<unknown> {
    this.begun.push(priority);
    const end = new Deferred();
    this.ends.push(end);
    return end.promise;
  }
}

describe('@Bulkhead with priorities', () => {
  it('serves the important first, and lets them displace others', async () => {
    const reports = (await startApp([Reports])).get(Reports);
    const calls = [0, 1, 1, 2, 3].map((priority) => watch(reports.render(priority)));
    await settle();
    for (let index = 0; index < 3; index++) {
      reports.ends[index]?.resolve(index);
      await settle();
    }

    expect(reports.begun).toEqual([0, 3, 2]);
    expect(calls.map(({ error }) => error instanceof BulkheadFullException)).toEqual([false, true, true, false, false]);
  });

  it('lets a breaker that trips end every wait, whatever its priority', async () => {
    const reports = (await startApp([Reports])).get(Reports);
    const calls = [0, 1, 2].map((priority) => watch(reports.render(priority)));
    await settle();

    reports.ends[0]?.reject(new Error('down'));
    await settle();

    expect(calls.slice(1).map(({ error }) => error instanceof CircuitOpenException)).toEqual([true, true]);
    expect(reports.begun).toEqual([0]);
  });
});

describe('@Bulkhead with adaptive()', () => {
  it('is one limit for a name, shown in the plan and by the service', async () => {
    @Injectable()
    class Client {
      @Resilient('upstream')
      async one(): Promise<void> {}
      @Bulkhead('upstream')
      async other(): Promise<void> {}
      @Bulkhead(adaptive({ max: 7 }))
      async own(): Promise<void> {}
    }
    Logger.overrideLogger(false);

    const { resilience } = await startApp([Client], {
      policies: { upstream: { bulkhead: { maxConcurrent: adaptive({ initial: 12 }), maxQueue: 5 } } },
    });

    expect(resilience.bulkheads().map(({ name, limit, active, waiting }) => [name, limit, active, waiting])).toEqual([
      ['upstream', 12, 0, 0],
      ['Client.own', 7, 0, 0],
    ]);
    expect(resilience.plan()[0]?.policies[0]).toMatchObject({
      policy: 'bulkhead',
      name: 'upstream',
      options: {
        maxConcurrent: { kind: 'adaptive', initial: 12, min: 4, max: 1_000, tolerance: 1, probeEvery: 10_000 },
        maxQueue: 5,
      },
    });
  });
});
