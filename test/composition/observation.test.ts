import { applyDecorators, HttpException, Injectable } from '@nestjs/common';
import {
  Bulkhead,
  CircuitBreaker,
  type CircuitBreakerOptions,
  Coalesce,
  Fallback,
  fixed,
  Hedge,
  RateLimit,
  Recover,
  ResilienceService,
  Retry,
  Timeout,
} from 'nestjs-bulwark';
import { defer, from, Observable } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { AttemptOutcome, CallOutcome, Cut, Decided, ObservedCall } from '../../lib/events/call-listener.js';
import type { Runtime } from '../../lib/module/runtime/runtime.js';
import { RUNTIME } from '../../lib/module/tokens.js';
import { CallRecorder } from '../support/call-recorder.js';
import { Deferred, fail, guard, hang, pass, settle, startApp, watch, type MethodGuard, type Scene } from './scene.js';

type Kind = ObservedCall['kind'];

/** All that can be told of a call; a new member is a missing row, which does not compile. */
type Happening = AttemptOutcome | CallOutcome | Decided['type'] | Cut;

type Work = (run: number) => unknown;

/** A caller of the guarded method. */
interface Caller {
  /** Gives up. */
  leave(): void;
  readonly scene: Scene;
}

interface Row {
  readonly guards: () => MethodGuard[];
  readonly work: Work;
  readonly drive?: (caller: Caller) => unknown;
  /** What is told of a call of each kind; undefined: it cannot happen to such a call. */
  readonly told: Readonly<Record<Kind, readonly string[] | undefined>>;
}

/** A method that gives its answer at once has nothing but Fallback and Recover. */
const notAtOnce = (...told: string[]): Row['told'] => {
  const all = ['begun', ...told];
  return { promise: all, observable: all, asyncIterable: all, sync: undefined };
};
const everywhere = (...told: string[]): Row['told'] => ({ ...notAtOnce(...told), sync: ['begun', ...told] });
/** Streams neither run beside themselves nor are shared. */
const promiseOnly = (...told: string[]): Row['told'] => ({
  promise: ['begun', ...told],
  observable: undefined,
  asyncIterable: undefined,
  sync: undefined,
});

const down: Work = () => {
  throw new Error('down');
};
const no: Work = () => {
  throw new HttpException('no such thing', 404);
};
const failing = (times: number): Work => {
  return (run) => (run <= times ? down(run) : 'fine');
};
const retry = (maxAttempts: number, ms = 0) => Retry({ maxAttempts, backoff: fixed(ms) });

const TABLE: Record<Happening, Row> = {
  success: {
    guards: () => [Fallback({ value: 'substitute' })],
    work: () => 'fine',
    told: everywhere('attempt 1 begun', 'attempt 1 success', 'ended success'),
  },
  failure: {
    guards: () => [Fallback({ value: 'substitute', on: () => false })],
    work: down,
    told: everywhere('attempt 1 begun', 'attempt 1 failure', 'ended failure'),
  },
  client_error: {
    guards: () => [Fallback({ value: 'substitute' })],
    work: no,
    told: everywhere('attempt 1 begun', 'attempt 1 client_error', 'ended client_error'),
  },
  refused: {
    guards: () => [RateLimit({ limit: 1, per: 1_000, cost: () => 2 })],
    work: () => 'fine',
    told: notAtOnce('rateLimit refused', 'attempt 1 refused', 'ended refused'),
  },
  aborted: {
    guards: () => [Timeout(1_000)],
    work: hang,
    drive: ({ leave }) => leave(),
    told: notAtOnce('attempt 1 begun', 'attempt 1 aborted, cut by caller', 'ended aborted, cut by caller'),
  },
  ignored: {
    guards: () => [CircuitBreaker({ errorFilter: () => true })],
    work: down,
    told: notAtOnce('attempt 1 begun', 'attempt 1 ignored', 'ended failure'),
  },
  fallback: {
    guards: () => [Fallback({ value: 'substitute' })],
    work: down,
    told: everywhere('attempt 1 begun', 'attempt 1 failure', 'fallback fallback', 'ended fallback'),
  },
  recovered: {
    guards: () => [Recover({ value: 'recovered', log: false })],
    work: down,
    told: everywhere('attempt 1 begun', 'attempt 1 failure', 'recover recovered', 'ended recovered'),
  },
  retry: {
    guards: () => [retry(3)],
    work: failing(1),
    told: notAtOnce(
      'attempt 1 begun',
      'attempt 1 failure',
      'retry retry',
      'attempt 2 begun',
      'attempt 2 success',
      'ended success',
    ),
  },
  retrySuppressed: {
    guards: () => [retry(2)],
    work: down,
    told: notAtOnce(
      'attempt 1 begun',
      'attempt 1 failure',
      'retry retry',
      'attempt 2 begun',
      'attempt 2 failure',
      'retry retrySuppressed',
      'ended failure',
    ),
  },
  hedge: {
    guards: () => [Hedge({ after: 10, budget: false })],
    work: (run) => (run === 1 ? hang() : 'fine'),
    drive: () => pass(10),
    told: promiseOnly(
      'attempt 1 begun',
      'hedge hedge',
      'attempt 2 begun',
      'attempt 2 success',
      'attempt 1 aborted, cut by hedge',
      'ended success',
    ),
  },
  timeout: {
    guards: () => [Timeout(10), retry(2)],
    work: (run) => (run === 1 ? hang() : 'fine'),
    drive: () => pass(10),
    told: notAtOnce(
      'attempt 1 begun',
      'timeout timeout',
      'attempt 1 failure, cut by perAttempt',
      'retry retry',
      'attempt 2 begun',
      'attempt 2 success',
      'ended success',
    ),
  },
  perAttempt: {
    guards: () => [Timeout(10), Fallback({ value: 'substitute' })],
    work: hang,
    drive: () => pass(10),
    told: notAtOnce(
      'attempt 1 begun',
      'timeout timeout',
      'attempt 1 failure, cut by perAttempt',
      'fallback fallback',
      'ended fallback, cut by perAttempt',
    ),
  },
  total: {
    guards: () => [Timeout({ total: 10 })],
    work: hang,
    drive: () => pass(10),
    told: notAtOnce(
      'attempt 1 begun',
      'timeout timeout',
      'attempt 1 failure, cut by total',
      'ended failure, cut by total',
    ),
  },
  caller: {
    guards: () => [retry(2, 1_000)],
    work: down,
    drive: async ({ leave }) => {
      await settle();
      leave();
    },
    told: notAtOnce(
      'attempt 1 begun',
      'attempt 1 failure',
      'retry retry',
      'retry retrySuppressed',
      'ended aborted, cut by caller',
    ),
  },
  shutdown: {
    guards: () => [retry(2, 1_000)],
    work: down,
    drive: async ({ scene }) => {
      await settle();
      await scene.module.close();
    },
    told: notAtOnce(
      'attempt 1 begun',
      'attempt 1 failure',
      'retry retry',
      'retry retrySuppressed',
      'ended refused, cut by shutdown',
    ),
  },
};

/** A service with one guarded method of a kind, and a way to call it and to leave. */
const KINDS: Record<Kind, (guards: MethodGuard[], work: Work) => Promise<{ scene: Scene; call: () => () => void }>> = {
  promise: async (guards, work) => {
    const scene = await guard(guards, work);
    return {
      scene,
      call: () => {
        const caller = new AbortController();
        watch(scene.call(caller.signal));
        return () => caller.abort();
      },
    };
  },
  observable: async (guards, work) => {
    let runs = 0;
    @Injectable()
    class Service {
      @applyDecorators(...guards)
      call(): Observable<unknown> {
        return defer(() => from(new Promise((resolve) => resolve(work(++runs)))));
      }
    }
    const scene = await startApp([Service]);
    return {
      scene,
      call: () => {
        const subscription = scene
          .get(Service)
          .call()
          .subscribe({ error: () => undefined });
        return () => subscription.unsubscribe();
      },
    };
  },
  asyncIterable: async (guards, work) => {
    let runs = 0;
    @Injectable()
    class Service {
      @applyDecorators(...guards)
      async *call(): AsyncGenerator<unknown> {
        yield await new Promise((resolve) => resolve(work(++runs)));
      }
    }
    const scene = await startApp([Service]);
    return {
      scene,
      call: () => {
        const items = scene.get(Service).call();
        watch(items.next().then(() => items.next()));
        return () => void items.return(undefined);
      },
    };
  },
  sync: async (guards, work) => {
    let runs = 0;
    @Injectable()
    class Service {
      @applyDecorators(...guards)
      call(): string {
        return work(++runs) as string;
      }
    }
    const scene = await startApp([Service]);
    return {
      scene,
      call: () => {
        try {
          scene.get(Service).call();
        } catch {
          // What it ends with is told.
        }
        return () => undefined;
      },
    };
  },
};

function eventsOf({ module }: Pick<Scene, 'module'>) {
  return module.get<Runtime>(RUNTIME).events;
}

function observe(scene: Scene): CallRecorder {
  const recorder = new CallRecorder();
  eventsOf(scene).watchCalls(recorder);
  return recorder;
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('an observed call', () => {
  const rows = Object.entries(TABLE).flatMap(([happening, { told }]) =>
    Object.entries(told).map(([kind, expected]) => [kind as Kind, happening as Happening, expected] as const),
  );

  it.each(rows.filter(([, , told]) => told !== undefined))('%s: %s', async (kind, happening, told) => {
    const { guards, work, drive } = TABLE[happening];
    const { scene, call } = await KINDS[kind](guards(), work);
    const recorder = observe(scene);

    const leave = call();
    await drive?.({ leave, scene });
    await settle();

    expect(recorder.told).toEqual(told);
    expect(recorder.calls[0]?.call).toEqual({
      id: 1,
      name: 'Service.call',
      className: 'Service',
      methodName: 'call',
      inner: false,
      kind,
      startedAt: expect.any(Number) as number,
    });
  });

  it('tells the same events as one that nobody observes, in the same order', async () => {
    const told: string[][] = [];
    for (const observed of [false, true]) {
      const guards = [
        Recover({ value: 0, log: false }),
        Fallback(fail('too')),
        retry(3),
        CircuitBreaker(),
        Timeout(10),
      ];
      const scene = await guard(guards, (run) => (run === 1 ? hang() : fail()()));
      if (observed) observe(scene);
      watch(scene.call());
      await pass(10);
      told.push(scene.events);
    }

    expect(told[1]).toEqual(told[0]);
    expect(told[0]?.length).toBeGreaterThan(5);
  });

  it('is told whole, whoever comes or leaves while it runs', async () => {
    const work = new Deferred();
    const scene = await guard([Fallback({ value: 0 })], () => work.promise);
    const [early, late] = [new CallRecorder(), new CallRecorder()];
    const leave = eventsOf(scene).watchCalls(early);
    const first = watch(scene.call());
    leave();
    eventsOf(scene).watchCalls(late);
    watch(scene.call());

    work.reject(new Error('down'));
    await settle();

    expect(first.settled).toBe(true);
    const whole = ['begun', 'attempt 1 begun', 'attempt 1 failure', 'fallback fallback', 'ended fallback'];
    expect(early.calls.map(({ told }) => told)).toEqual([whole]);
    expect(late.calls.map(({ told }) => told)).toEqual([whole]);
  });

  it('hears of nothing that began before', async () => {
    const scene = await guard([retry(2, 10)], fail());
    watch(scene.call());
    await settle();
    const recorder = observe(scene);

    await pass(10);

    expect(recorder.calls).toEqual([]);
  });

  it('has its waits told, with the policies that made it wait', async () => {
    const first = new Deferred();
    const guards = [
      RateLimit({ limit: 1, per: 50, burst: 2, onLimit: 'queue', maxWait: 100 }),
      Bulkhead({ maxConcurrent: 1, maxQueue: 1, maxWait: 20 }),
    ];
    const scene = await guard(guards, () => first.promise);
    const recorder = observe(scene);
    for (let made = 0; made < 3; made++) watch(scene.call());

    await pass(30);
    first.resolve(0);
    await pass(100);

    const name = 'Service.call';
    expect(recorder.calls.map(({ waits }) => waits)).toEqual([
      [],
      [{ name, policy: 'bulkhead', waitedMs: 20, granted: false }],
      [{ name, policy: 'rateLimit', waitedMs: 50, granted: true }],
    ]);
    expect(recorder.calls.map(({ end }) => end?.outcome)).toEqual(['success', 'refused', 'success']);
    expect(recorder.calls[2]?.attempts[0]).toMatchObject({ waitedMs: 50, durationMs: 0 });
  });

  it('owns the attempts of the run that it has begun; whoever joins ends with the result', async () => {
    const scene = await guard([Coalesce({ key: () => 'one' }), retry(2)], failing(1));
    const recorder = observe(scene);
    watch(scene.call());
    watch(scene.call());

    await settle();

    expect(recorder.calls.map(({ told }) => told)).toEqual([
      [
        'begun',
        'attempt 1 begun',
        'attempt 1 failure',
        'retry retry',
        'attempt 2 begun',
        'attempt 2 success',
        'ended success',
      ],
      ['begun', 'ended success'],
    ]);
    expect(recorder.calls.map(({ end }) => end?.attempts)).toEqual([2, 0]);
  });

  it('is judged as its breaker judges', async () => {
    const judged = async (options: CircuitBreakerOptions, work: Work) => {
      const scene = await guard([CircuitBreaker(options)], work);
      const recorder = observe(scene);
      watch(scene.call());
      await settle();
      return recorder.told.slice(2);
    };

    expect(await judged({ isFailure: () => true }, () => 'no')).toEqual(['attempt 1 failure', 'ended failure']);
    expect(await judged({ errorFilter: () => true }, down)).toEqual(['attempt 1 ignored', 'ended failure']);
  });

  it('is one of `execute()`, its own answer to a refusal included', async () => {
    const scene = await startApp([], { policies: { one: { rateLimit: { limit: 1, per: 1_000, cost: () => 2 } } } });
    const recorder = observe(scene);

    const answer = scene.module.get(ResilienceService).execute('one', () => Promise.resolve(1), { onRefused: () => 2 });

    await expect(answer).resolves.toBe(2);
    expect(recorder.calls[0]?.call.name).toBe('one');
    expect(recorder.told).toEqual(['begun', 'rateLimit refused', 'attempt 1 refused', 'ended fallback']);
  });

  it('is one of `fire()`', async () => {
    const scene = await guard([CircuitBreaker()], () => 'fine');
    const { breaker } = scene.breaker();
    const recorder = observe(scene);
    breaker.fallback(() => 'substitute');

    await expect(breaker.fire(() => down(1))).resolves.toBe('substitute');

    expect(recorder.calls[0]?.call.name).toBe('Service.call');
    expect(recorder.told).toEqual(['begun', 'attempt 1 begun', 'attempt 1 failure', 'ended fallback']);
  });

  it('has a number of its own, and the next one a higher', async () => {
    const scene = await guard([retry(2)], () => 'fine');
    const recorder = observe(scene);

    await scene.call();
    await scene.call();

    expect(recorder.calls.map(({ call }) => call.id)).toEqual([1, 2]);
  });

  it('goes on, when those who observe it throw', async () => {
    const scene = await guard([retry(3), Fallback({ value: 'substitute' })], fail());
    const mine = (): never => {
      throw new Error('mine');
    };
    const observer = { attemptBegun: mine, attemptEnded: mine, decided: mine, ended: mine, run: mine };
    eventsOf(scene).watchCalls({ begun: mine });
    eventsOf(scene).watchCalls({ begun: () => observer });
    const recorder = observe(scene);

    await expect(scene.call()).resolves.toBe('substitute');

    expect(scene.runs()).toBe(3);
    expect(recorder.calls[0]?.end?.outcome).toBe('fallback');
  });
});

describe('a method that has to be called to know what it gives', () => {
  /** As a compiler without metadata leaves it. */
  async function unknown(guards: MethodGuard[], work: Work) {
    class Service {
      call(): unknown {
        return work(1);
      }
    }
    const descriptor = Object.getOwnPropertyDescriptor(Service.prototype, 'call') as PropertyDescriptor;
    for (const one of guards) (one as MethodDecorator)(Service.prototype, 'call', descriptor);
    Object.defineProperty(Service.prototype, 'call', descriptor);
    Injectable()(Service);
    const scene = await startApp([Service]);
    return { scene, call: () => scene.get(Service).call() };
  }
  const fine = ['begun', 'attempt 1 begun', 'attempt 1 success', 'ended success'];

  it.each([
    ['a promise', [retry(2)], () => Promise.resolve(1), 'promise', fine],
    [
      'a promise, in a run that may be shared',
      [Coalesce({ key: () => 'one' })],
      () => Promise.resolve(1),
      'promise',
      fine,
    ],
    ['a promise under Fallback alone', [Fallback({ value: 0 })], () => Promise.resolve(1), 'promise', fine],
    ['a value', [retry(2)], () => 1, 'sync', fine],
    ['a value under Fallback alone', [Fallback({ value: 0 })], () => 1, 'sync', fine],
    [
      'an error at once',
      [Fallback({ value: 0 })],
      down,
      'sync',
      ['begun', 'attempt 1 begun', 'attempt 1 failure', 'fallback fallback', 'ended fallback'],
    ],
    ['a stream', [retry(2)], () => from([1]), 'observable', fine],
  ] as const)('is observed once that is known: %s', async (_, guards, work, kind, told) => {
    const { scene, call } = await unknown([...guards], work);
    const recorder = observe(scene);

    const given = call();
    if (kind === 'observable') (given as Observable<unknown>).subscribe();
    await settle();

    expect(recorder.told).toEqual(told);
    expect(recorder.calls[0]?.call.kind).toBe(kind);
  });

  it('is not observed by who comes while it runs', async () => {
    const recorder = new CallRecorder();
    const { scene, call } = await unknown([retry(2)], () => {
      eventsOf(scene).watchCalls(recorder);
      return Promise.resolve(1);
    });

    await call();

    expect(recorder.calls).toEqual([]);
  });
});

describe('the default log', () => {
  it('costs calls nothing and starts no timer', async () => {
    const scene = await guard([CircuitBreaker(), retry(2), Timeout(100)], () => 'fine');
    const events = eventsOf(scene);

    await scene.call();
    await pass(200);

    expect([events.calls, vi.getTimerCount()]).toEqual([undefined, 0]);
  });
});
