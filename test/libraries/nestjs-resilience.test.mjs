import { fileURLToPath } from 'node:url';
import 'reflect-metadata';
import { Logger } from '@nestjs/common';
import {
  BulkheadStrategy,
  CircuitBreakerStrategy,
  ExponentialBackoff,
  FallbackStrategy,
  FixedBackoff,
  LinearBackoff,
  ResilienceStatesManager,
  RetryStrategy,
  ThrottleStrategy,
  TimeoutStrategy,
  UseResilience,
} from 'nestjs-resilience';
import ts from 'typescript';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CircuitBreaker, ResilienceService } from '../../lib/index.ts';
import { startQuietApp } from '../conformance/support/quiet-app.ts';
import { clientOf, fileOf } from '../conformance/ways-over/pages.ts';
import { tell } from '../conformance/ways-over/story.ts';

// What docs/ways-over/from-nestjs-resilience.md says of that package is asked of that package.

const PAGE = 'from-nestjs-resilience';
const HERE = fileURLToPath(new URL('.', import.meta.url));

const OUTAGE = [
  { upstream: 'up' },
  { upstream: 'hanging' },
  { upstream: 'down' },
  { upstream: 'up', after: 5_000 },
  { upstream: 'up' },
];

const STORY = [
  'up: 1.08, asked 1, closed',
  'hanging: 1, asked 3, open',
  'down: 1, asked 0, open',
  'up: 1.08, asked 1, closed',
  'up: 1.08, asked 1, closed',
];

/** The class with a method `call` under these strategies; `work` gets the number of its run. */
function under(strategies, work) {
  let runs = 0;
  class Client {
    async call(..._args) {
      return work(++runs);
    }
  }
  decorate(Client, UseResilience(...strategies));
  return { client: new Client(), runs: () => runs, Client };
}

/** Puts a decorator on the method, as the compiler would. */
function decorate(Client, decorator) {
  const descriptor = Object.getOwnPropertyDescriptor(Client.prototype, 'call');
  Object.defineProperty(Client.prototype, 'call', decorator(Client.prototype, 'call', descriptor) ?? descriptor);
}

const down = () => Promise.reject(new Error('down'));
const states = () => ResilienceStatesManager.getInstance();
const stateOf = async (name) => (await states().get(`CircuitBreakerStrategy/${name}`)).status;

Logger.overrideLogger(false);
beforeEach(() => states().reset());
afterEach(() => vi.useRealTimers());

it('compiles the code before', { timeout: 120_000 }, async () => {
  const path = await fileOf(PAGE, 'before.ts', HERE);
  const config = ts.readConfigFile(`${HERE}../../tsconfig.json`, ts.sys.readFile).config;
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, `${HERE}../..`);

  const program = ts.createProgram([path], options);

  expect(ts.getPreEmitDiagnostics(program).map(({ messageText }) => messageText)).toEqual([]);
});

it('tells the same story of an outage before and after', async () => {
  const { RatesClient: Before } = await import(/* @vite-ignore */ await fileOf(PAGE, 'before.ts', HERE));
  const After = await clientOf(PAGE, 'after.ts');
  const app = await startQuietApp([After]);
  const after = app.get(ResilienceService).circuitBreaker('rates');

  const told = await tell(new Before(), async () => (await stateOf('RatesClient#rate')).toLowerCase(), OUTAGE);

  expect(told).toEqual(STORY);
  expect(await tell(app.get(After), () => after.state, OUTAGE)).toEqual(told);
});

it('lets a breaker in the shadow stand below its decorator', async () => {
  class Shadowed {
    call() {
      return down();
    }
  }
  decorate(Shadowed, CircuitBreaker('shadow', { timeout: false, mode: 'metricsOnly', volumeThreshold: 2 }));
  decorate(Shadowed, UseResilience(new FallbackStrategy(() => 'away')));
  const app = await startQuietApp([Shadowed]);

  const answers = [];
  for (let call = 0; call < 3; call++) answers.push(await app.get(Shadowed).call());

  expect(answers).toEqual(['away', 'away', 'away']);
  expect(app.get(ResilienceService).circuitBreaker('shadow').state).toBe('open');
});

describe('what the page says of retries', () => {
  const callsOf = async (options) => {
    vi.useFakeTimers();
    const { client, runs } = under([new RetryStrategy(options)], down);
    const call = client.call().catch(() => undefined);
    await vi.advanceTimersByTimeAsync(60_000);
    await call;
    return runs();
  };

  it('FixedBackoff makes one retry less than it says, any other as many', async () => {
    const counts = [];
    for (const backoff of [FixedBackoff, LinearBackoff, ExponentialBackoff])
      counts.push(await callsOf({ maxRetries: 3, backoff }));

    expect([...counts, await callsOf({})]).toEqual([3, 4, 4, 5]);
  });

  it('LinearBackoff begins with no pause', () => {
    expect([...new LinearBackoff().getGenerator(3)]).toEqual([0, 100, 200]);
  });
});

describe('what the page says of breakers', () => {
  const OPTIONS = { requestVolumeThreshold: 2, sleepWindowInMilliseconds: 5_000 };

  async function opened(options = OPTIONS) {
    vi.useFakeTimers();
    const scene = under([new CircuitBreakerStrategy(options)], (run) => (run <= 2 ? down() : new Promise(() => {})));
    for (let call = 0; call < 2; call++) await scene.client.call().catch(() => undefined);
    return scene;
  }

  it('half-open lets every call through', async () => {
    const { client, runs } = await opened();

    await vi.advanceTimersByTimeAsync(5_000);
    for (let call = 0; call < 10; call++) void client.call();
    await vi.advanceTimersByTimeAsync(0);

    expect(runs()).toBe(12);
  });

  it('a rest as long as the rolling window ends the open time', async () => {
    const { client, runs } = await opened({ ...OPTIONS, sleepWindowInMilliseconds: 60_000 });

    await vi.advanceTimersByTimeAsync(20_000);
    void client.call();
    await vi.advanceTimersByTimeAsync(0);

    expect(runs()).toBe(3);
  });

  it('classes of equal name share one', async () => {
    await opened();
    const other = under([new CircuitBreakerStrategy(OPTIONS)], () => 'well');

    await expect(other.client.call()).rejects.toThrow('Circuit is open');
  });

  it('a call that ends late overwrites the counts of those that have begun after it', async () => {
    let endLate;
    const { client } = under([new CircuitBreakerStrategy()], (run) =>
      run === 2 ? new Promise((_resolve, reject) => (endLate = reject)) : down(),
    );
    const quietly = (call) => call.catch(() => undefined);
    await quietly(client.call());

    const late = quietly(client.call());
    await quietly(client.call());
    await quietly(client.call());
    const before = await states().get('CircuitBreakerStrategy/Client#call');
    endLate(new Error('late'));
    await late;

    const after = await states().get('CircuitBreakerStrategy/Client#call');
    expect([before.failuresCount, after.failuresCount]).toEqual([3, 3]);
  });
});

it('has the defaults that the page says', () => {
  const options = [BulkheadStrategy, CircuitBreakerStrategy, RetryStrategy, ThrottleStrategy, TimeoutStrategy].map(
    (Strategy) => new Strategy().getOptions(),
  );

  expect(options).toMatchObject([
    { maxConcurrent: 1, maxQueue: 1 },
    {
      requestVolumeThreshold: 20,
      errorThresholdPercentage: 50,
      sleepWindowInMilliseconds: 5_000,
      rollingWindowInMilliseconds: 20_000,
    },
    { maxRetries: 5, maxDelay: 30_000, scaleFactor: 1, backoff: FixedBackoff },
    { limit: 10, ttl: 1_000 },
    1_000,
  ]);
  expect(options[1]).not.toHaveProperty('timeoutInMilliseconds');
});

it('gives a fallback the command and the arguments, and no error', async () => {
  const seen = vi.fn(() => 'away');
  const { client } = under([new FallbackStrategy(seen)], down);

  await client.call('EUR', 2);

  expect(seen.mock.calls).toEqual([[expect.objectContaining({ name: 'call' }), 'EUR', 2]]);
});

it('lets a bulkhead inside a retry give back more than it took', async () => {
  vi.useFakeTimers();
  const bulkhead = new BulkheadStrategy({ maxConcurrent: 1, maxQueue: 0 });
  const { client } = under([bulkhead, new RetryStrategy({ maxRetries: 3 })], down);

  const call = client.call().catch(() => undefined);
  await vi.advanceTimersByTimeAsync(1_000);
  await call;

  expect(bulkhead.executionSlots).toBe(3);
});

it('lets a bulkhead inside a breaker lose a slot at each call that the breaker refuses', async () => {
  const bulkhead = new BulkheadStrategy({ maxConcurrent: 3, maxQueue: 2 });
  const breaker = new CircuitBreakerStrategy({ requestVolumeThreshold: 1 });
  const { client } = under([bulkhead, breaker], down);
  await client.call().catch(() => undefined);
  const before = bulkhead.executionSlots;

  for (let call = 0; call < 3; call++) await client.call().catch(() => undefined);

  expect([before, bulkhead.executionSlots]).toEqual([3, 0]);
});

it('counts the calls of a throttle in its store, which processes may share', async () => {
  const kept = new Map();
  const store = { get: async (key) => kept.get(key), set: async (key, value) => void kept.set(key, value), reset() {} };
  const process = () => {
    const { client } = under([new ThrottleStrategy({ limit: 2, ttl: 60_000 })], async () => 'through');
    return async () => {
      new ResilienceStatesManager({ store });
      return client.call().catch(({ constructor }) => constructor.name);
    };
  };
  const [one, other] = [process(), process()];

  const answers = [await one(), await other(), await one(), await other()];

  new ResilienceStatesManager();
  expect(answers).toEqual(['through', 'through', 'ThrottlerException', 'ThrottlerException']);
});

it('takes the metadata of the method away', () => {
  class Client {
    async call() {}
  }
  Reflect.defineMetadata('path', '/rates', Client.prototype.call);
  decorate(Client, UseResilience(new TimeoutStrategy(400)));

  expect(Reflect.getMetadata('path', Client.prototype.call)).toBeUndefined();
});
