import 'reflect-metadata';
import { Injectable, Logger } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  exponential,
  RESILIENCE_RANDOM,
  Resilient,
  ResilienceModule,
  ResilienceService,
  Signal,
  TimeoutException,
  type PolicySet,
} from 'nestjs-bulwark';
import { Observable } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EventBus } from '../../lib/events/event-bus.js';
import { systemClock } from '../../lib/kernel/clock.js';
import { DeadlineQueue } from '../../lib/kernel/deadline-queue.js';
import { Lifecycle } from '../../lib/kernel/policy.js';
import { TimeLimit } from '../../lib/kernel/time-limit.js';
import { BulkheadGuard } from '../../lib/policies/bulkhead/bulkhead.guard.js';
import { QueuedAttempt } from '../../lib/policies/bulkhead/queued-attempt.js';
import { Slot } from '../../lib/policies/bulkhead/slot.js';
import { WaitingLine } from '../../lib/policies/bulkhead/waiting-line.js';
import { BreakerCore } from '../../lib/policies/circuit-breaker/breaker-core.js';
import { CircuitBreakerGuard } from '../../lib/policies/circuit-breaker/circuit-breaker.guard.js';
import { LatencySampling } from '../../lib/policies/circuit-breaker/latency-sampling.js';
import { Coalescing } from '../../lib/policies/coalesce/coalescing.js';
import { Flight } from '../../lib/policies/coalesce/flight.js';
import { FallbackDecision } from '../../lib/policies/fallback/fallback.decision.js';
import { Hedging } from '../../lib/policies/hedge/hedging.js';
import { RateLimitGuard } from '../../lib/policies/rate-limit/rate-limit.guard.js';
import { RateLimiter } from '../../lib/policies/rate-limit/rate-limiter.js';
import { WaitingLines } from '../../lib/policies/rate-limit/waiting-lines.js';
import { RecoverDecision } from '../../lib/policies/recover/recover.decision.js';
import { RetryDecision } from '../../lib/policies/retry/retry.decision.js';
import { TotalTimeoutDecision } from '../../lib/policies/timeout/total-timeout.decision.js';

type Kind = 'promise' | 'observable' | 'asyncIterable' | 'sync';
type When = 'before' | 'after';
type Methods = Record<string, (...args: unknown[]) => unknown>;

/** What throws, and at which of its uses. */
interface Crash {
  readonly on: object;
  readonly step: string;
  readonly when: When;
  readonly nth: number;
}

const BOTH = ['before', 'after'] as const;
const USES = [1, 2, 3, 5, 8];

/** What an app is given for chance. */
const chance = { random: () => 0.5 };

/**
 * The steps of guards and decisions, and of what they stand on. What gives back and nothing else is not stopped before it
 * has done so: it is a subtraction, and nobody could do it in its place.
 */
const STEPS: readonly (readonly [object: { readonly prototype: object }, step: string, when: readonly When[]])[] = [
  [CircuitBreakerGuard, 'admit', BOTH],
  [CircuitBreakerGuard, 'settled', BOTH],
  [TimeLimit, 'admit', BOTH],
  [TimeLimit, 'settled', BOTH],
  [TimeLimit, 'item', BOTH],
  [TimeLimit, 'wanted', BOTH],
  [RateLimitGuard, 'admit', BOTH],
  [BulkheadGuard, 'admit', BOTH],
  [BulkheadGuard, 'settled', BOTH],
  [BulkheadGuard, 'released', ['after']],
  [BulkheadGuard, 'wanted', BOTH],
  [BulkheadGuard, 'parked', BOTH],
  [BulkheadGuard, 'handOver', BOTH],
  [Slot, 'settled', BOTH],
  [Slot, 'released', ['after']],
  [QueuedAttempt, 'admit', ['after']],
  [WaitingLine, 'join', BOTH],
  [WaitingLine, 'leave', ['after']],
  [WaitingLines, 'join', BOTH],
  [WaitingLines, 'leave', ['after']],
  [RateLimiter, 'admit', BOTH],
  [BreakerCore, 'admit', ['before']],
  [BreakerCore, 'refusal', BOTH],
  [BreakerCore, 'release', ['after']],
  [BreakerCore, 'succeeded', BOTH],
  [BreakerCore, 'succeededUnmeasured', BOTH],
  [BreakerCore, 'failed', BOTH],
  [BreakerCore, 'ignored', BOTH],
  [DeadlineQueue, 'add', BOTH],
  [DeadlineQueue, 'remove', ['after']],
  [EventBus, 'emit', BOTH],
  [RetryDecision, 'failed', BOTH],
  [FallbackDecision, 'failed', BOTH],
  [RecoverDecision, 'failed', BOTH],
  [TotalTimeoutDecision, 'begin', BOTH],
  [TotalTimeoutDecision, 'failed', BOTH],
  [TotalTimeoutDecision, 'end', ['after']],
  [Hedging, 'run', ['before']],
  [Coalescing, 'run', ['before']],
  [Flight, 'start', ['before']],
  [Flight, 'join', ['before']],
];

const guards: PolicySet = {
  timeout: { perAttempt: 50, total: 500 },
  retry: { maxAttempts: 2, backoff: exponential({ initial: 20, jitter: 'full' }) },
  circuitBreaker: { volumeThreshold: 3, resetTimeout: 190, resetJitter: 0.1, timeout: false },
  rateLimit: { limit: 4, per: 100, onLimit: 'queue', maxWait: 60 },
  bulkhead: { maxConcurrent: 1, maxQueue: 1, maxWait: 40 },
};
const answering: PolicySet = {
  ...guards,
  fallback: { value: 'in its place', on: TimeoutException },
  recover: { value: 'nothing' },
};
const beside: PolicySet = {
  ...guards,
  bulkhead: { maxConcurrent: 2, maxQueue: 2 },
  coalesce: { key: (what: string) => (what === 'hangs' ? undefined : what) },
  hedge: { after: 20, budget: false },
};

/** Of methods that give their answer at once, Recover and Fallback are all that there is. */
const atOnce: PolicySet = {
  fallback: { value: 'in its place', on: TypeError },
  recover: (error) => `nothing: ${String(error)}`,
};

const SCENES: readonly [string, Kind, PolicySet][] = [
  ['a promise', 'promise', guards],
  ['a promise with answers in its place', 'promise', answering],
  ['a promise of attempts beside each other', 'promise', beside],
  ['an Observable', 'observable', guards],
  ['an async iterable', 'asyncIterable', guards],
  ['an answer at once', 'sync', atOnce],
];

/** Everything that something was taken from, since {@link watchAll}. */
class Taken {
  readonly queues = new Set<DeadlineQueue>();
  readonly limiters = new Set<RateLimiter>();
  readonly cores = new Set<BreakerCore>();
  readonly bulkheads = new Set<BulkheadGuard>();
  readonly known = new Set<object>();

  watchAll(): void {
    const { queues, limiters, cores, bulkheads, known } = this;
    look(DeadlineQueue.prototype, 'add', (queue) => queues.add(queue as DeadlineQueue));
    look(RateLimiter.prototype, 'admit', (limiter) => limiters.add(limiter as RateLimiter));
    look(BreakerCore.prototype, 'admit', (core) => cores.add(core as BreakerCore));
    look(BulkheadGuard.prototype, 'admit', (bulkhead) => bulkheads.add(bulkhead as BulkheadGuard));
    look(Lifecycle.prototype, 'add', (_, one) => known.add(one as object));
    look(Lifecycle.prototype, 'remove', (_, one) => known.delete(one as object));
    look(Lifecycle.prototype, 'enlist', (_, one) => known.add(one as object));
    look(Lifecycle.prototype, 'delist', (_, one) => known.delete(one as object));
  }

  /** What has not come back. */
  left(): string[] {
    return [
      ...[...this.queues].filter(({ idle }) => !idle).map(({ ms }) => `a deadline of ${ms} ms`),
      ...[...this.limiters].filter(({ waiting }) => waiting !== 0).map(({ waiting }) => `${waiting} wait for a turn`),
      ...[...this.cores].filter(({ inFlight }) => inFlight !== 0).map(({ inFlight }) => `${inFlight} in flight`),
      ...[...this.bulkheads].filter(({ active }) => active !== 0).map(({ active }) => `${active} slots`),
      ...[...this.bulkheads].filter(({ waiting }) => waiting !== 0).map(({ waiting }) => `${waiting} wait for a slot`),
      ...[...this.known].map((one) => `${one.constructor.name} is known to the app`),
    ];
  }
}

const undo: (() => void)[] = [];

function replace(on: object, step: string, by: (original: Methods[string]) => Methods[string]): void {
  const methods = on as Methods;
  const original = methods[step] as Methods[string];
  const own = Object.hasOwn(on, step);
  expect(original, step).toBeTypeOf('function');
  methods[step] = by(original);
  undo.push(() => {
    if (own) methods[step] = original;
    else Reflect.deleteProperty(methods, step);
  });
}

function look(on: object, step: string, see: (self: object, first: unknown) => void): void {
  replace(
    on,
    step,
    (original) =>
      function (this: object, ...args) {
        see(this, args[0]);
        return original.apply(this, args);
      },
  );
}

/** Lets a step throw once. Returns whether it has. */
function crash({ on, step, when, nth }: Crash): () => boolean {
  let uses = 0;
  replace(
    on,
    step,
    (original) =>
      function (this: object, ...args) {
        const now = ++uses === nth;
        if (now && when === 'before') throw new Error('crash');
        const result = original.apply(this, args);
        if (now) throw new Error('crash');
        return result;
      },
  );
  return () => uses >= nth;
}

/** A service whose work does what its first argument says. */
function serviceOf(kind: Kind) {
  const promised = (what: string, signal: AbortSignal): Promise<string> =>
    new Promise((resolve, reject) => {
      if (what === 'fails') setTimeout(() => reject(new Error('down')), 1);
      else if (what === 'hangs') signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      else setTimeout(() => resolve(what), what === 'slow' ? 30 : 1);
    });
  const work: Record<Kind, (what: string, signal: AbortSignal) => unknown> = {
    promise: promised,
    observable: (what, signal) =>
      new Observable((subscriber) => {
        promised(what, signal).then(
          (value) => (subscriber.next(value), subscriber.complete()),
          (error: unknown) => subscriber.error(error),
        );
      }),
    asyncIterable: async function* (what, signal) {
      yield await promised(what, signal);
      yield await promised('quick', signal);
    },
    sync: (what) => {
      if (what === 'fails') throw new Error('down');
      if (what === 'hangs') throw new TypeError('wrong');
      return what;
    },
  };
  @Injectable()
  class Service {
    @Resilient('main')
    call(what: string, @Signal() signal?: AbortSignal): never {
      return work[kind](what, signal as AbortSignal) as never;
    }
  }
  return Service;
}

/** How a call ended; undefined: its caller still waits. */
function make(kind: Kind, call: () => unknown): { end: string | undefined } {
  const caller: { end: string | undefined } = { end: undefined };
  const ended = (end: string) => (): void => void (caller.end ??= end);
  const take = async (items: AsyncIterable<unknown>): Promise<void> => {
    for await (const _ of items);
  };
  try {
    const result = call();
    if (kind === 'observable')
      (result as Observable<unknown>).subscribe({ error: ended('error'), complete: ended('complete') });
    else if (kind === 'asyncIterable') take(result as AsyncIterable<unknown>).then(ended('done'), ended('error'));
    else if (kind === 'sync') ended('value')();
    else (result as Promise<unknown>).then(ended('value'), ended('error'));
  } catch {
    caller.end = kind === 'sync' ? 'error' : 'thrown at its caller';
  }
  return caller;
}

async function startApp(kind: Kind, main: PolicySet) {
  const Service = serviceOf(kind);
  const set = kind === 'sync' ? main : { ...main, returns: kind };
  const app = await Test.createTestingModule({
    imports: [ResilienceModule.forRoot({ policies: { main: set } })],
    providers: [Service],
  })
    .overrideProvider(RESILIENCE_RANDOM)
    .useValue(() => chance.random())
    .compile();
  Logger.overrideLogger(false);
  await app.init();
  if (main !== answering) app.get(ResilienceService).events$.subscribe(() => undefined);
  // Without a listener a success costs less, by another way; under a high load some less again.
  else replace(LatencySampling.prototype, 'weightAt', () => everyOther());
  return { app, service: app.get(Service) };
}

/** Measures the latency of every other attempt. */
function everyOther(): () => number {
  let attempts = 0;
  return () => attempts++ % 2;
}

/** Lets time pass; what a timer throws would end the process. */
async function pass(ms: number, thrown: unknown[]): Promise<void> {
  for (let tries = 0; tries < 3; tries++) {
    try {
      await vi.advanceTimersByTimeAsync(ms);
      return;
    } catch (error) {
      thrown.push(error);
    }
  }
}

/** Calls that succeed, fail, wait, are refused and run out of time. */
async function scene(kind: Kind, main: PolicySet, injected: Crash) {
  const taken = new Taken();
  const thrown: unknown[] = [];
  const { app, service } = await startApp(kind, main);
  taken.watchAll();
  const crashed = crash(injected);
  const callers: { end: string | undefined }[] = [];
  const call = (what: string): void => void callers.push(make(kind, () => service.call(what)));
  const rounds = [
    ['quick'],
    ['slow', 'quick', 'quick'],
    ['fails'],
    ['hangs', 'slow', 'fails'],
    ['slow', 'slow', 'hangs'],
    ['quick'],
  ];
  for (const round of rounds) {
    for (const what of round) call(what);
    await pass(70, thrown);
  }
  await pass(300, thrown);
  call('quick');
  await pass(200_000, thrown);
  const left = taken.left();
  const waiting = callers.filter(({ end }) => end === undefined).length;
  const atCaller = callers.filter(({ end }) => end === 'thrown at its caller').length;
  const hasCrashed = crashed();
  for (const one of undo.splice(0).reverse()) one();
  const closing = app.close();
  await pass(1_000, thrown);
  await closing;
  if (vi.getTimerCount() > 0) left.push(`${vi.getTimerCount()} timers`);
  if (waiting > 0) left.push(`${waiting} callers without an answer`);
  // A clock that throws does so at whoever reads it: a caller before anything was taken, or a timer, which has no caller.
  if (injected.on === systemClock) return { crashed: hasCrashed, left };
  if (atCaller > 0) left.push(`${atCaller} callers at whom it was thrown`);
  return { crashed: hasCrashed, left: [...left, ...thrown.map((error) => `thrown out of a timer: ${String(error)}`)] };
}

beforeEach(() => {
  vi.useFakeTimers();
  Logger.overrideLogger(false);
});
afterEach(() => {
  for (const one of undo.splice(0).reverse()) one();
  vi.useRealTimers();
});

/** Lets a step throw in every scene, at each of its `uses` that the scene comes to. */
async function crashEach(on: object, step: string, times: readonly When[], uses: readonly number[]) {
  const wrong: string[] = [];
  const reached = new Set<When>();
  for (const [what, kind, set] of SCENES) {
    for (const [nth, when] of uses.flatMap((use) => times.map((time) => [use, time] as const))) {
      const { crashed, left } = await scene(kind, set, { on, step, when, nth });
      if (left.length > 0) wrong.push(`${what}, ${when} use ${nth} of ${step}: ${left.join(', ')}`);
      // What is not used so often is not used more often.
      if (!crashed) break;
      reached.add(when);
    }
  }
  return { reached: [...reached], wrong };
}

describe('a step that throws', () => {
  it.each(
    STEPS.map(
      ([on, step, times]) => [(on as unknown as { name: string }).name, step, times.join(' and '), times, on] as const,
    ),
  )('has all given back, and every caller answered: %s.%s, %s its work', async (_, step, _when, times, on) => {
    expect(await crashEach(on.prototype, step, times, USES)).toEqual({ reached: times, wrong: [] });
  });

  it('has all given back, and every caller answered: chance', async () => {
    expect(await crashEach(chance, 'random', ['before'], USES)).toEqual({ reached: ['before'], wrong: [] });
  });

  it.each([...Array(40).keys()])(
    'has all given back, and every caller answered: reading %i of the clock',
    async (index) => {
      expect(await crashEach(systemClock, 'now', ['before'], [index + 1])).toEqual({ reached: ['before'], wrong: [] });
    },
  );
});
