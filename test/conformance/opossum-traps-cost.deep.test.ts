import { AsyncLocalStorage } from 'node:async_hooks';
import { Injectable } from '@nestjs/common';
import { CircuitBreaker, ResilienceService } from 'nestjs-bulwark';
import { expect, it, onTestFinished, vi } from 'vitest';
import { isCollected, timersMadeBy, usedBytes } from './support/memory.js';
import { plainOpossum, quietly, type Work } from './support/plain-opossum.js';
import { startQuietApp } from './support/quiet-app.js';

const DOWN = new Error('down');
const succeed: Work = () => Promise.resolve();
const fail: Work = () => Promise.reject(DOWN);

/** Node's clock, however time is faked. */
const { bigint: nanoseconds } = process.hrtime;

/** Time stands still, so that nothing leaves the window. */
function holdTheWindow(): void {
  vi.useFakeTimers({ now: 1_900_000_000_000 });
  onTestFinished(() => void vi.useRealTimers());
}

async function repeat(times: number, run: () => Promise<unknown>): Promise<void> {
  for (let time = 0; time < times; time++) await quietly(run());
}

/** How many times as long one failure takes after 50,000 calls as after 1,000: medians of alternating batches. */
async function costRatio(callsPerBatch: number, make: () => Promise<(work: Work) => Promise<unknown>>) {
  const [small, large] = [await make(), await make()];
  const times: [bigint[], bigint[]] = [[], []];
  await repeat(1_000, () => small(succeed));
  await repeat(50_000, () => large(succeed));
  for (let batch = 0; batch < 21; batch++) {
    for (const [index, call] of [small, large].entries()) {
      const begin = nanoseconds();
      await repeat(callsPerBatch, () => call(fail));
      times[index as 0 | 1].push(nanoseconds() - begin);
    }
  }
  const [few, many] = times.map((all) => Number(all.sort((a, b) => Number(a - b))[all.length >> 1])) as [
    number,
    number,
  ];
  return many / few;
}

it('trap 1: a failure costs the same, when 1,000 or 50,000 calls are in the window', async () => {
  holdTheWindow();
  @Injectable()
  class Client {
    @CircuitBreaker({ timeout: false, volumeThreshold: 1_000_000 })
    async call(work: Work): Promise<unknown> {
      return work();
    }
  }

  const theirs = await costRatio(2, async () => {
    const breaker = plainOpossum({ timeout: false, volumeThreshold: 1_000_000 });
    return (work) => breaker.fire(work);
  });
  const ours = await costRatio(50, async () => {
    const client = (await startQuietApp([Client])).get(Client);
    return (work) => client.call(work);
  });

  expect(theirs).toBeGreaterThan(5);
  expect(ours).toBeLessThan(5);
});

it.each([true, false])(
  'trap 2: no latency of a single call is kept, when percentiles are %s',
  async (rollingPercentilesEnabled) => {
    holdTheWindow();
    @Injectable()
    class Client {
      @CircuitBreaker({ timeout: false, rollingPercentilesEnabled })
      async call(): Promise<void> {}
    }
    const app = await startQuietApp([Client]);
    const client = app.get(Client);
    const theirs = plainOpossum({ timeout: false, rollingPercentilesEnabled, errorThresholdPercentage: 100 });
    await repeat(1_000, () => client.call());
    const before = usedBytes();

    await repeat(200_000, () => client.call());
    const between = usedBytes();
    await repeat(200_000, () => theirs.fire(succeed));
    const after = usedBytes();

    const { window } = theirs.status as unknown as { window: { latencyTimes: number[] }[] };
    expect(window.reduce((kept, { latencyTimes }) => kept + latencyTimes.length, 0)).toBe(200_000);
    expect(after - between).toBeGreaterThan(8 * 200_000 * 0.9);
    // A number for each call would be 1.6 MB; what the machine compiles meanwhile counts as well.
    expect(between - before).toBeLessThan(8 * 200_000 * 0.25);
    expect(app.get(ResilienceService).circuitBreaker('Client.call').stats).toMatchObject({
      successes: 201_000,
      latencyTimes: [],
    });
  },
);

it('trap 3: there is no timer, when breakers are made, trip, recover and are idle', async () => {
  @Injectable()
  class Client {
    @CircuitBreaker({ timeout: false, key: (key: string) => key, volumeThreshold: 1, resetTimeout: 0 })
    async call(_key: string, work: Work): Promise<unknown> {
      return work();
    }
  }
  const app = await startQuietApp([Client]);
  const client = app.get(Client);
  const service = app.get(ResilienceService);

  const theirs = await timersMadeBy(() => plainOpossum({ timeout: false }));
  const ours = await timersMadeBy(async () => {
    for (let key = 0; key < 100; key++) {
      await quietly(client.call(`key ${key}`, fail));
      await quietly(client.call(`key ${key}`, succeed));
      await quietly(client.call(`key ${key}`, fail));
    }
  });

  expect(theirs).toBe(2);
  expect(service.circuitBreakers()).toHaveLength(100);
  expect(ours).toBe(0);
});

/** What a request leaves behind: whether its AsyncLocalStorage store can be collected after `work`. */
async function leavesNothing(work: () => unknown): Promise<boolean> {
  const context = new AsyncLocalStorage<object>();
  const reference = await (async () => {
    const store = { request: 'a request' };
    await context.run(store, async () => {
      await work();
    });
    return new WeakRef(store);
  })();
  return isCollected(reference);
}

const elapsed = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

it('trap 15: the context of a request is let go of, when a breaker is made in it', async () => {
  @Injectable()
  class Client {
    @CircuitBreaker({ key: (key: string) => key })
    async call(_key: string): Promise<void> {}
  }
  const app = await startQuietApp([Client]);
  const client = app.get(Client);

  const theirs = await leavesNothing(() => plainOpossum({ timeout: false }));
  const ours = await leavesNothing(() => client.call('the first of its key'));

  expect(theirs).toBe(false);
  expect(app.get(ResilienceService).circuitBreaker('Client.call', 'the first of its key').stats.successes).toBe(1);
  expect(ours).toBe(true);
});

it.each(['somebody', 'nobody'])(
  'trap 15: the context of a request is let go of, when the breaker trips in it and %s listens',
  async (listener) => {
    @Injectable()
    class Client {
      @CircuitBreaker({ volumeThreshold: 1, resetTimeout: 60_000 })
      async call(work: Work): Promise<unknown> {
        return work();
      }
    }
    const app = await startQuietApp([Client]);
    const client = app.get(Client);
    const service = app.get(ResilienceService);
    const heard: string[] = [];
    if (listener === 'somebody') service.events$.subscribe(({ type }) => heard.push(type));
    const opossum = plainOpossum({ resetTimeout: 60_000 });

    const theirs = await leavesNothing(() => quietly(opossum.fire(fail)));
    const ours = await leavesNothing(async () => {
      await quietly(client.call(fail));
      await quietly(client.call(fail));
    });

    expect([opossum.opened, service.circuitBreaker('Client.call').state]).toEqual([true, 'open']);
    expect(theirs).toBe(false);
    expect(ours).toBe(true);
  },
);

it('trap 15: the context of a request is let go of, when the breaker trips, recovers and is reset in it', async () => {
  @Injectable()
  class Client {
    @CircuitBreaker({ volumeThreshold: 1, resetTimeout: 20 })
    async call(work: Work): Promise<unknown> {
      return work();
    }
  }
  const app = await startQuietApp([Client]);
  const client = app.get(Client);
  const handle = app.get(ResilienceService).circuitBreaker('Client.call');
  const states: string[] = [];

  const ours = await leavesNothing(async () => {
    await quietly(client.call(fail));
    states.push(handle.state);
    await elapsed(30);
    states.push(handle.state);
    await client.call(succeed);
    states.push(handle.state);
    handle.forceOpen();
    handle.reset();
    await client.call(succeed);
  });

  expect(states).toEqual(['open', 'halfOpen', 'closed']);
  expect(ours).toBe(true);
});
