import { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import { Bulkhead, CircuitBreaker, type CircuitBreakerOptions } from 'nestjs-bulwark';
import OpossumBreaker from 'opossum';
import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { fail, guard, hang, pass, settle } from '../composition/scene.js';
import { plainOpossum, quietly, type Work } from './support/plain-opossum.js';
import { guardQuietly } from './support/quiet-app.js';

// What opossum's README shows and its tools rely on: of plain opossum and of `handle.breaker`, side by side.

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const OPTIONS = { timeout: 100, volumeThreshold: 2, resetTimeout: 1_000, resetJitter: 0 } as const;
const succeed: Work = () => Promise.resolve('done');

/** A guarded method that does whatever is asked of it, and its breaker. */
async function guarded(options: CircuitBreakerOptions = {}) {
  let work: Work = succeed;
  const scene = await guard([CircuitBreaker({ ...OPTIONS, ...options })], () => work());
  const handle = scene.breaker();
  const fire = (next: Work): Promise<unknown> => {
    work = next;
    return scene.call();
  };
  return { handle, breaker: handle.breaker, fire };
}

/** The same options for both; opossum's documentation is meant by all of them. */
async function pair(options: CircuitBreakerOptions = {}) {
  const { resetJitter: _ours, ...theirs } = { ...OPTIONS, ...options };
  const opossum = plainOpossum(theirs as OpossumBreaker.Options<[Work]>);
  const { breaker, fire } = await guarded(options);
  const fireBoth = async (work: Work, times = 1): Promise<void> => {
    for (let time = 0; time < times; time++) await Promise.all([quietly(opossum.fire(work)), quietly(fire(work))]);
  };
  const slowly = async (work: Work, ms: number): Promise<void> => {
    const calls = fireBoth(work);
    await pass(ms);
    await calls;
  };
  return { opossum, breaker, fireBoth, slowly };
}

function record(breaker: EventEmitter, ...events: string[]): string[] {
  const heard: string[] = [];
  for (const event of events) breaker.on(event, () => void heard.push(event));
  return heard;
}

const EVENTS = ['fire', 'reject', 'timeout', 'success', 'failure', 'open', 'close', 'halfOpen'];

it('is an opossum breaker and an EventEmitter, when a tool asks', async () => {
  const { breaker } = await guarded();

  expect(breaker).toBeInstanceOf(OpossumBreaker);
  expect(breaker).toBeInstanceOf(EventEmitter);
});

it('emits the documented events, when it fails, times out, opens, refuses, probes and closes', async () => {
  const { opossum, breaker, fireBoth, slowly } = await pair({ errorThresholdPercentage: 51 });
  const theirs = record(opossum, ...EVENTS);
  const ours = record(breaker, ...EVENTS);

  await fireBoth(succeed);
  await fireBoth(fail());
  await slowly(hang, 100);
  await fireBoth(succeed, 3);
  await pass(1_000);
  await fireBoth(succeed);

  // opossum closes before it tells its listeners of the success that closes it.
  const probe = ['halfOpen', 'fire', 'success', 'close'];
  expect(ours).toEqual([...theirs.slice(0, -4), ...probe]);
  expect([...theirs].sort()).toEqual([...ours].sort());
});

it.each(['on', 'once', 'addListener', 'prependListener'] as const)(
  'emits halfOpen in time, when nobody calls and the listener came by %s() after it had opened',
  async (add) => {
    const { breaker: handle, call } = await guardQuietly(OPTIONS, fail());
    const { breaker } = handle;
    const heard = vi.fn();
    await quietly(call());
    await quietly(call());

    breaker[add]('halfOpen', heard);
    await pass(1_010);

    expect(heard).toHaveBeenCalledTimes(1);
  },
);

it.each([
  { event: 'fire', arity: 1, act: (all: Pair) => all.fireBoth(succeed) },
  { event: 'success', arity: 2, act: (all: Pair) => all.slowly(() => later(30), 30) },
  { event: 'failure', arity: 3, act: (all: Pair) => all.slowly(() => later(30).then(fail()), 30) },
  { event: 'timeout', arity: 1, act: (all: Pair) => all.slowly(hang, 100) },
  { event: 'open', arity: 0, act: (all: Pair) => all.fireBoth(fail(), 2) },
  {
    event: 'close',
    arity: 0,
    act: (all: Pair) => all.fireBoth(fail(), 2).then(() => (all.opossum.close(), all.breaker.close())),
  },
  { event: 'halfOpen', arity: 1, act: (all: Pair) => all.fireBoth(fail(), 2).then(() => pass(1_000)) },
  { event: 'reject', arity: 1, act: (all: Pair) => all.fireBoth(fail(), 3) },
])('gives listeners of $event what is documented, when it happens', async ({ event, arity, act }) => {
  const both = await pair();
  const [theirs, ours] = [argumentsOf(both.opossum, event), argumentsOf(both.breaker, event)];

  await act(both);

  expect(theirs.length).toBe(1);
  const documented = (args: unknown[]) => shape(args.slice(0, arity));
  expect(ours.map(documented)).toEqual(theirs.map(documented));
});

it('emits semaphoreLocked, when there is no capacity for a call', async () => {
  const opossum = plainOpossum({ timeout: false, capacity: 1, errorThresholdPercentage: 100 });
  const scene = await guard([CircuitBreaker({ timeout: false }), Bulkhead(1)], hang);
  const theirs = record(opossum, 'semaphoreLocked');
  const ours = record(scene.breaker().breaker, 'semaphoreLocked');

  for (let call = 0; call < 3; call++) {
    void quietly(opossum.fire(hang));
    void quietly(scene.call());
  }
  await settle();

  expect(theirs).toHaveLength(2);
  expect(ours).toHaveLength(2);
});

it('has stats and status of the documented shape, when read', async () => {
  const { opossum, breaker, fireBoth, slowly } = await pair();
  await fireBoth(succeed, 4);
  await fireBoth(fail());
  await slowly(hang, 100);

  expect(Object.keys(breaker.stats).sort()).toEqual(Object.keys(opossum.stats).sort());
  expect(Object.keys(breaker.stats.percentiles)).toEqual(Object.keys(opossum.stats.percentiles));
  const counts = { fires: 6, successes: 4, failures: 2, timeouts: 1, rejects: 0 };
  expect(opossum.stats).toMatchObject(counts);
  expect(breaker.stats).toMatchObject(counts);
  expect(breaker.status.stats).toEqual(breaker.stats);
});

it('has the percentiles of the window within 9 %, when calls took 10 to 90 ms', async () => {
  const { opossum, breaker, slowly } = await pair({ rollingCountTimeout: 60_000 });

  for (const ms of [10, 20, 30, 40, 50, 60, 70, 80, 90]) await slowly(() => later(ms), ms);

  expect(breaker.stats.latencyMean).toBeGreaterThan(opossum.stats.latencyMean * 0.91);
  expect(breaker.stats.latencyMean).toBeLessThan(opossum.stats.latencyMean * 1.09);
  for (const [fraction, theirs] of Object.entries(opossum.stats.percentiles)) {
    const ours = breaker.stats.percentiles[Number(fraction)];
    expect(ours, fraction).toBeGreaterThan(theirs * 0.91);
    expect(ours, fraction).toBeLessThan(theirs * 1.09);
  }
});

it.each([10_000, 15_000, 20_000, 60_000])(
  'has forgotten the latencies of the window before, when nobody has called for %i ms',
  async (idle) => {
    const { opossum, breaker, slowly } = await pair();
    for (let call = 0; call < 12; call++) {
      await slowly(() => later(90), 90);
      await pass(910);
    }

    await pass(idle);
    await slowly(() => later(10), 10);

    expect(opossum.stats.percentiles[1]).toBe(10);
    expect(breaker.stats.percentiles[1]).toBeLessThan(11);
    expect(breaker.stats.latencyMean).toBeLessThan(11);
  },
);

it('has -1 for every summary of latencies, when rollingPercentilesEnabled is false', async () => {
  const { opossum, breaker, slowly } = await pair({ rollingPercentilesEnabled: false });

  await slowly(() => later(30), 30);

  expect(breaker.stats.percentiles).toEqual(opossum.stats.percentiles);
  expect(breaker.stats.latencyMean).toBe(-1);
});

it('gives toJSON() of the documented shape, when closed, open and half-open', async () => {
  const { opossum, breaker, fireBoth } = await pair({ group: 'payments' });
  const states = [[opossum.toJSON().state, breaker.toJSON().state]];
  await fireBoth(fail(), 2);
  states.push([opossum.toJSON().state, breaker.toJSON().state]);
  await pass(1_000);
  states.push([opossum.toJSON().state, breaker.toJSON().state]);

  for (const [theirs, ours] of states) {
    const { lastTimerAt: _theirs, name: _name, ...expected } = theirs as Record<string, unknown>;
    expect(ours).toMatchObject({ ...expected, name: 'Service.call' });
  }
  expect(Object.keys(breaker.toJSON().status).sort()).toEqual(Object.keys(opossum.toJSON().status).sort());
  expect(() => JSON.stringify(breaker)).not.toThrow();
});

it('counts for opossum-prometheus, when it is given the breaker of a handle', async () => {
  type Metrics = new (options: { circuits: unknown[] }) => { metrics: string; clear(): void };
  const PrometheusMetrics = createRequire(import.meta.url)('opossum-prometheus') as Metrics;
  const { handle, fire } = await guarded({ errorThresholdPercentage: 60 });
  const prometheus = new PrometheusMetrics({ circuits: [handle.breaker] });
  onTestFinished(() => prometheus.clear());

  await fire(succeed);
  for (const work of [fail(), fail(), succeed]) await quietly(fire(work));
  await pass(1_010);
  await fire(succeed);

  const { metrics } = prometheus;
  const counted = EVENTS.map((event) => [
    event,
    Number(new RegExp(`^circuit{name="Service.call",event="${event}"} (\\d+)`, 'm').exec(metrics)?.[1] ?? 0),
  ]);
  expect(Object.fromEntries(counted)).toEqual({
    fire: 5,
    success: 2,
    failure: 2,
    timeout: 0,
    open: 1,
    reject: 1,
    halfOpen: 1,
    close: 1,
  });
  expect(metrics).toContain('circuit_perf_count{name="Service.call",event="success"} 2');
});

type Pair = Awaited<ReturnType<typeof pair>>;

function later(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function argumentsOf(breaker: EventEmitter, event: string): unknown[][] {
  const all: unknown[][] = [];
  breaker.on(event, (...args: unknown[]) => void all.push(args));
  return all;
}

/** What listeners can rely on: errors are ours and theirs, arguments those of the method. */
function shape(args: unknown[]): unknown[] {
  return args.map((argument) => {
    if (argument instanceof Error) return 'an error';
    return Array.isArray(argument) ? 'the arguments' : argument;
  });
}
