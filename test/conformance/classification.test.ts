import { Injectable } from '@nestjs/common';
import { CircuitBreaker, CircuitOpenException, fixed, Retry, Signal, Timeout, TimeoutException } from 'nestjs-bulwark';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { hang, pass, startApp, watch } from '../composition/scene.js';
import { seededRandom } from '../support/seeded-random.js';
import { quietly, type Work } from './support/plain-opossum.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const LATENCY_MS = 200;

/** Ends `ms` later, whatever becomes of the call. */
const after = (ms: number, work: Work): Promise<unknown> =>
  new Promise((resolve) => setTimeout(resolve, ms)).then(work);
/** Rejects as `fetch` does. */
const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) =>
    signal.addEventListener('abort', () => reject(new DOMException('This operation was aborted', 'AbortError'))),
  );
const down: Work = () => Promise.reject(new Error('down'));

describe.each([
  { way: 'callContext: true', callContext: true },
  { way: '@Signal() on both', callContext: false },
])('a total of 1,000 ms over a guarded inner method, with $way', ({ callContext }) => {
  async function start(upstream: (call: number) => unknown) {
    let calls = 0;
    @Injectable()
    class Client {
      @CircuitBreaker('upstream', { timeout: false, volumeThreshold: 5, resetTimeout: 30_000 })
      async load(@Signal() _signal?: AbortSignal): Promise<unknown> {
        return upstream(++calls);
      }
    }
    @Injectable()
    class Pages {
      constructor(private readonly client: Client) {}

      @Timeout({ total: 1_000 })
      async show(@Signal() signal?: AbortSignal): Promise<unknown> {
        return callContext ? this.client.load() : this.client.load(signal);
      }
    }
    const scene = await startApp([Client, Pages], { callContext });
    return { scene, show: () => scene.get(Pages).show(), calls: () => calls };
  }

  it('opens the inner breaker, when the upstream has hung from the start', async () => {
    const { scene, show, calls } = await start(hang);

    const cut = [1, 2, 3, 4, 5].map(() => watch(show()));
    await pass(1_000);
    const next = watch(show());
    await pass(0);

    expect(cut.every(({ error }) => error instanceof TimeoutException)).toBe(true);
    expect(scene.breaker('upstream').stats).toMatchObject({ failures: 5, timeouts: 5 });
    expect(scene.breaker('upstream').state).toBe('open');
    expect(next.error).toBeInstanceOf(CircuitOpenException);
    expect(calls()).toBe(5);
  });

  it('opens the inner breaker, when the upstream hangs after calls that took 200 ms', async () => {
    const { scene, show } = await start((call) => (call <= 3 ? after(LATENCY_MS, () => 'page') : hang()));
    for (let call = 0; call < 8; call++) {
      void quietly(show());
      await pass(LATENCY_MS);
    }

    await pass(1_000);

    expect(scene.breaker('upstream').stats).toMatchObject({ successes: 3, failures: 3 });
    expect(scene.breaker('upstream').state).toBe('open');
  });

  it('does not count a call, when the total cuts it after 20 ms because the caller was late', async () => {
    let wait = 0;
    @Injectable()
    class Client {
      @CircuitBreaker('upstream', { timeout: false, rollingCountTimeout: 60_000 })
      async load(@Signal() _signal?: AbortSignal): Promise<unknown> {
        return after(LATENCY_MS, () => 'page');
      }
    }
    @Injectable()
    class Pages {
      constructor(private readonly client: Client) {}

      @Timeout({ total: 1_000 })
      async show(@Signal() signal?: AbortSignal): Promise<unknown> {
        await after(wait, () => undefined);
        return callContext ? this.client.load() : this.client.load(signal);
      }
    }
    const scene = await startApp([Client, Pages], { callContext });
    for (wait of [0, 0, 980, 980, 980]) {
      void quietly(scene.get(Pages).show());
      await pass(2_000);
    }

    expect(scene.breaker('upstream').stats).toMatchObject({ successes: 2, failures: 0 });
    expect(scene.events.filter((event) => event === 'circuitBreaker ignored')).toHaveLength(3);
  });
});

describe('a retry that is begun with little time left', () => {
  it.each([
    { method: 'a method that ignores its signal', heeds: false },
    { method: 'a method that ends with an AbortError of its own', heeds: true },
  ])(
    'does not count, when it is cut after 20 ms of the 200 ms that successes take, with $method',
    async ({ heeds }) => {
      const outcomes: Work[] = [() => 'page', () => 'page', down, () => 'page'];
      let calls = 0;
      @Injectable()
      class Client {
        @Timeout({ total: 320 })
        @Retry({ maxAttempts: 2, backoff: fixed(100) })
        @CircuitBreaker('upstream', { timeout: false })
        async load(@Signal() signal?: AbortSignal): Promise<unknown> {
          const answer = after(LATENCY_MS, outcomes[calls++] as Work);
          return heeds ? Promise.race([answer, aborted(signal as AbortSignal)]) : answer;
        }
      }
      const scene = await startApp([Client]);

      for (let call = 0; call < 3; call++) {
        void quietly(scene.get(Client).load());
        await pass(1_000);
      }

      expect(calls).toBe(4);
      expect(scene.breaker('upstream').stats).toMatchObject({ successes: 2, failures: 1, timeouts: 0 });
    },
  );

  it.each([0, 0.1, 0.3, 0.5])(
    'leaves the judged failure rate within 2 points of the true one, when that is %d, over 4,000 calls',
    { timeout: 60_000 },
    async (failureRate) => {
      const random = seededRandom(Math.round(failureRate * 1_000) + 1);
      const truth = { attempts: 0, failures: 0, cut: 0 };
      @Injectable()
      class Client {
        @Timeout({ total: 620 })
        @Retry({ maxAttempts: 3, backoff: fixed(100), budget: false })
        @CircuitBreaker('upstream', {
          timeout: false,
          errorThresholdPercentage: 100,
          rollingCountTimeout: 3_600_000,
        })
        async load(@Signal() signal?: AbortSignal): Promise<unknown> {
          const failing = random() < failureRate;
          truth.attempts++;
          if (failing) truth.failures++;
          signal?.addEventListener('abort', () => truth.cut++);
          return after(LATENCY_MS - 20 + 40 * random(), failing ? down : () => 'page');
        }
      }
      const scene = await startApp([Client]);
      const client = scene.get(Client);

      for (let call = 0; call < 4_000; call++) {
        void quietly(client.load());
        await pass(10);
      }
      await pass(1_000);

      const { successes, failures } = scene.breaker('upstream').stats;
      const judged = failures / (successes + failures);
      expect(Math.abs(judged - truth.failures / truth.attempts)).toBeLessThan(0.02);
      expect(successes + failures).toBe(truth.attempts - truth.cut);
      // The rule is put to the test: had the cut attempts counted as failures, the rate would be off.
      const naively = (failures + truth.cut) / truth.attempts;
      if (failureRate >= 0.3) expect(naively - truth.failures / truth.attempts).toBeGreaterThan(0.02);
    },
  );
});
