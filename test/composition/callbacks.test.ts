import { Controller, Get, Injectable } from '@nestjs/common';
import {
  fixed,
  Resilient,
  ResilienceModule,
  ResilienceService,
  type ExecuteOptions,
  type PolicySet,
  type ResilienceModuleOptions,
} from 'nestjs-bulwark';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { initialise, start, startUpError, type RecordingLogger } from '../e2e/support/harness.js';
import { ProcessFaults, revoked, strict } from '../support/hostile.js';
import type { CallbackPath } from './callback-path.js';

type Callback = (...args: never[]) => never;

/** What becomes of a call. */
type Outcome = { gives: unknown } | { fails: string } | { rejectsWith: unknown };

/** A guarded method, or whatever else asks the callback. */
interface Scene {
  call(): Promise<unknown>;
  readonly log: RecordingLogger;
  /** What must hold when all calls are over. */
  check(): void;
}

interface Row {
  /** What the callback is to give: a value at once; a substitute answer, now or later; nothing. */
  readonly wants: 'value' | 'answer' | 'nothing';
  /** How reports name it. */
  readonly place: string;
  /** What a call comes to when the callback is of no use; the last is that of all later calls. */
  readonly otherwise: readonly Outcome[];
  /** Whether the start can see it. @default true */
  readonly seenAtStart?: boolean;
  start(callback: Callback): Promise<Scene>;
  refusal?(callback: Callback): Promise<Error>;
}

type Work = (run: number, call: { signal: AbortSignal }) => unknown;
const gives: Work = () => 'fine';
const fails: Work = () => {
  throw new Error('down');
};

const FINE: Outcome = { gives: 'fine' };
const DOWN: Outcome = { fails: 'down' };
const OPEN: Outcome = { fails: 'CIRCUIT_OPEN' };

function checkIdle(resilience: ResilienceService): void {
  expect(resilience.bulkheads().map(({ active, waiting }) => active + waiting)).toEqual(
    resilience.bulkheads().map(() => 0),
  );
  for (const { breaker } of resilience.circuitBreakers()) expect(breaker.core.inFlight).toBe(0);
}

/** A method under a set. */
function classUnder(set: PolicySet, work: Work) {
  @Injectable()
  class Service {
    runs = 0;

    @Resilient(set)
    async call(call: { signal: AbortSignal }): Promise<unknown> {
      return work(++this.runs, call);
    }
  }
  return Service;
}

async function methodUnder(set: PolicySet, work: Work, drive: (scene: Scene) => Promise<unknown>): Promise<Scene> {
  const Service = classUnder(set, work);
  const { module, log } = await initialise({ imports: [ResilienceModule.forRoot()], providers: [Service] });
  const service = module.get(Service);
  const resilience = module.get(ResilienceService);
  const signal = new AbortController().signal;
  const scene: Scene = { call: () => service.call({ signal }), log, check: () => checkIdle(resilience) };
  return { ...scene, call: () => drive(scene) };
}

interface Options {
  readonly wants?: Row['wants'];
  readonly work?: Work;
  readonly otherwise?: readonly Outcome[];
  readonly seenAtStart?: boolean;
  readonly drive?: (scene: Scene) => Promise<unknown>;
}

/** A callback in a policy set. */
function inSet(place: string, set: (callback: Callback) => unknown, options: Options = {}): Row {
  const {
    wants = 'value',
    work = gives,
    otherwise = [FINE],
    seenAtStart = true,
    drive = ({ call }) => call(),
  } = options;
  return {
    wants,
    place: `Service.call, ${place}`,
    otherwise,
    seenAtStart,
    start: (callback) => methodUnder(set(callback) as PolicySet, work, drive),
    refusal: (callback) =>
      startUpError({
        imports: [ResilienceModule.forRoot()],
        providers: [classUnder(set(callback) as PolicySet, work)],
      }),
  };
}

const recovered: Options = { work: fails, otherwise: [{ gives: 'recovered' }] };
const substituted: Options = { work: fails, otherwise: [{ gives: 'substitute' }] };
const answered: Options = { wants: 'answer', work: fails };
const failed: Options = { work: fails, otherwise: [DOWN] };
const tripped: Options = { work: fails, otherwise: [DOWN, OPEN] };

const recoverOn = (on: unknown) => ({ recover: { value: 'recovered', log: false, on } });
const rule = (more: object) => ({ value: 'substitute', ...more });
const lastGood = (more: object) => ({ lastGood: { key: () => 'one', maxAge: 1_000, ...more } });
const unread: Options = { wants: 'nothing', work: fails, otherwise: [DOWN] };
const unwritten: Options = { wants: 'nothing' };
const retry = (more: object) => ({ retry: { maxAttempts: 2, backoff: fixed(0), ...more } });
const breaker = (more: object) => ({ circuitBreaker: { volumeThreshold: 1_000, ...more } });
const opening = (resetTimeout: unknown) => ({ circuitBreaker: { volumeThreshold: 1, resetJitter: 0, resetTimeout } });
const trip = (more: object) => breaker({ trip: { name: 'own', shouldTrip: () => false, ...more } });
/** What is no answer opens it at once. */
const answering = (more: object) => breaker({ volumeThreshold: 1, ...more });
const tracking = (more: object) => trip({ track: () => ({ shouldTrip: () => false, ...more }) });
const rate = (more: object) => ({ rateLimit: { limit: 1_000, per: 1_000, ...more } });

/** Every other call fails and opens the breaker; the next one is a probe. */
const probe: Work = (run) => (run % 2 === 1 ? fails(run, undefined as never) : 'fine');
const probing = (more: object) => ({
  circuitBreaker: {
    resetTimeout: 0,
    trip: { name: 'own', shouldTrip: () => false, track: () => ({ shouldTrip: opens, ...more }) },
  },
});
const opens = ({ failures }: { failures: number }): boolean => failures > 0;
const afterReset: Options['drive'] = async ({ call }) => (await call().catch(() => undefined), call());

const twoAtOnce: Options = {
  work: () => new Promise((resolve) => setImmediate(() => resolve('fine'))),
  drive: async ({ call }) => (await Promise.all([call(), call()]))[1],
};
const hedged: Options = {
  seenAtStart: false,
  wants: 'nothing',
  work: (run) => (run % 2 === 1 ? new Promise((resolve) => setTimeout(() => resolve('late'), 10_000).unref()) : 'fine'),
};

/** What is asked about requests. */
function ofRequests(option: string): Row {
  const options = (callback: Callback) => ({ systemProtection: { [option]: callback } }) as ResilienceModuleOptions;
  @Controller()
  class Home {
    @Get()
    get(): string {
      return 'fine';
    }
  }
  return {
    wants: 'value',
    place: `systemProtection.${option}`,
    otherwise: [FINE],
    start: async (callback) => {
      const { url, log } = await start({ imports: [ResilienceModule.forRoot(options(callback))], controllers: [Home] });
      return { call: async () => (await fetch(url)).text(), log, check: () => undefined };
    },
    refusal: (callback) => startUpError({ imports: [ResilienceModule.forRoot(options(callback))] }),
  };
}

/** A method of a source of rules. Those that are called at start may fail it, as wrong rules do. */
function ofRuleSource(method: string): Row {
  return {
    wants: 'nothing',
    place: method === 'read' ? 'mine: ' : 'mine ',
    otherwise: [FINE],
    start: async (callback) => {
      const source = { name: 'mine', read: async () => ({}), watch: () => undefined, close: () => undefined };
      const options = { rules: { source: { ...source, [method]: callback } } } as ResilienceModuleOptions;
      const Service = classUnder({ retry: 2 }, gives);
      const metadata = { imports: [ResilienceModule.forRoot(options)], providers: [Service] };
      try {
        const { module, log } = await initialise(metadata);
        const service = module.get(Service);
        return { call: () => service.call(new AbortController()), log, check: () => undefined };
      } catch (error) {
        return { call: () => Promise.reject(error), log: undefined as never, check: () => undefined };
      }
    },
  };
}

/** Answers a refusal of one call. */
const onRefused: Row = {
  wants: 'answer',
  place: '',
  otherwise: [],
  start: async (callback) => {
    const { module, log } = await initialise({ imports: [ResilienceModule.forRoot()] });
    const resilience = module.get(ResilienceService);
    await resilience.execute({ name: 'x', circuitBreaker: {} }, () => 'fine');
    resilience.circuitBreaker('x').forceOpen();
    const options = { onRefused: callback as never } satisfies ExecuteOptions;
    return {
      call: () => resilience.execute({ name: 'x', circuitBreaker: {} }, () => 'never', options),
      log,
      check: () => checkIdle(resilience),
    };
  },
};

const TABLE: Readonly<Record<CallbackPath, Row>> & Readonly<Record<string, Row>> = {
  'set.recover': inSet('recover', (recover) => ({ recover }), answered),
  'set.recover.use': inSet('recover', (use) => ({ recover: { use, log: false } }), answered),
  'set.recover.on': inSet('recover on', recoverOn, recovered),
  'set.recover.on[]': inSet('recover on', (on) => recoverOn([on]), recovered),
  'set.fallback': inSet('fallback', (fallback) => ({ fallback }), answered),
  'set.fallback.use': inSet('fallback', (use) => ({ fallback: { use } }), answered),
  'set.fallback.on': inSet('fallback on', (on) => ({ fallback: rule({ on }) }), substituted),
  'set.fallback.on[]': inSet('fallback on', (on) => ({ fallback: rule({ on: [on] }) }), substituted),
  'set.fallback.skipOn': inSet('fallback skipOn', (skipOn) => ({ fallback: rule({ skipOn }) }), substituted),
  'set.fallback.skipOn[]': inSet('fallback skipOn', (on) => ({ fallback: rule({ skipOn: [on] }) }), substituted),
  'set.fallback[]': inSet('fallback', (use) => ({ fallback: [use] }), answered),
  'set.fallback[].use': inSet('fallback', (use) => ({ fallback: [{ use }] }), answered),
  'set.fallback[].on': inSet('fallback on', (on) => ({ fallback: [rule({ on })] }), substituted),
  'set.fallback[].on[]': inSet('fallback on', (on) => ({ fallback: [rule({ on: [on] })] }), substituted),
  'set.fallback[].skipOn': inSet('fallback skipOn', (skipOn) => ({ fallback: [rule({ skipOn })] }), substituted),
  'set.fallback[].skipOn[]': inSet('fallback skipOn', (on) => ({ fallback: [rule({ skipOn: [on] })] }), substituted),
  'set.fallback.lastGood.key': inSet('lastGood key', (key) => ({ fallback: lastGood({ key }) })),
  'set.fallback.lastGood.store': inSet('lastGood store', (store) => ({ fallback: lastGood({ store }) })),
  'set.fallback.lastGood.store.get': inSet(
    'lastGood store',
    (get) => ({ fallback: lastGood({ store: { get, put: async () => undefined } }) }),
    unread,
  ),
  'set.fallback.lastGood.store.put': inSet(
    'lastGood store',
    (put) => ({ fallback: lastGood({ store: { get: async () => undefined, put } }) }),
    unwritten,
  ),
  'set.fallback[].lastGood.key': inSet('lastGood key', (key) => ({ fallback: [lastGood({ key })] })),
  'set.fallback[].lastGood.store': inSet('lastGood store', (store) => ({ fallback: [lastGood({ store })] })),
  'set.fallback[].lastGood.store.get': inSet(
    'lastGood store',
    (get) => ({ fallback: [lastGood({ store: { get, put: async () => undefined } })] }),
    unread,
  ),
  'set.fallback[].lastGood.store.put': inSet(
    'lastGood store',
    (put) => ({ fallback: [lastGood({ store: { get: async () => undefined, put } })] }),
    unwritten,
  ),
  'set.coalesce.key': inSet('key', (key) => ({ coalesce: { key } })),
  'set.retry.retryOn': inSet('retryOn', (retryOn) => retry({ retryOn }), failed),
  'set.retry.retryOn[]': inSet('retryOn', (on) => retry({ retryOn: [on] }), failed),
  'set.retry.abortOn': inSet('abortOn', (abortOn) => retry({ abortOn }), failed),
  'set.retry.abortOn[]': inSet('abortOn', (on) => retry({ abortOn: [on] }), failed),
  'set.retry.answerOn': inSet('answerOn', (answerOn) => retry({ answerOn }), failed),
  'set.retry.answerOn[]': inSet('answerOn', (on) => retry({ answerOn: [on] }), failed),
  'set.retry.retryOnResult': inSet('retryOnResult', (retryOnResult) => retry({ retryOnResult })),
  'set.retry.backoff': inSet('backoff', (backoff) => retry({ backoff }), failed),
  'set.retry.backoff.series': inSet(
    'backoff',
    (series) => retry({ backoff: { kind: 'own', options: {}, series } }),
    failed,
  ),
  'what set.retry.backoff.series gives': inSet(
    'backoff',
    (pause) => retry({ backoff: { kind: 'own', options: {}, series: () => pause } }),
    { ...failed, seenAtStart: false },
  ),
  'set.circuitBreaker.errorFilter': inSet('errorFilter', (errorFilter) => breaker({ errorFilter }), failed),
  'set.circuitBreaker.answerOn': inSet('answerOn', (answerOn) => answering({ answerOn }), tripped),
  'set.circuitBreaker.answerOn[]': inSet('answerOn', (on) => answering({ answerOn: [on] }), tripped),
  'set.circuitBreaker.isFailure': inSet('isFailure', (isFailure) => breaker({ isFailure })),
  'set.circuitBreaker.resetTimeout': inSet('resetTimeout', opening, tripped),
  'set.circuitBreaker.resetTimeout.series': inSet(
    'resetTimeout',
    (series) => opening({ kind: 'own', options: {}, series }),
    tripped,
  ),
  'what set.circuitBreaker.resetTimeout.series gives': inSet(
    'resetTimeout',
    (pause) => opening({ kind: 'own', options: {}, series: () => pause }),
    { ...tripped, seenAtStart: false },
  ),
  'set.circuitBreaker.trip.shouldTrip': inSet('trip strategy', (shouldTrip) => trip({ shouldTrip })),
  'set.circuitBreaker.trip.track': inSet('trip strategy', (track) => trip({ track })),
  'set.circuitBreaker.key': inSet('key', (key) => breaker({ key })),
  'set.rateLimit.key': inSet('key', (key) => rate({ key })),
  'set.rateLimit.cost': inSet('cost', (cost) => rate({ cost })),
  'set.bulkhead.key': inSet('key', (key) => ({ bulkhead: { maxConcurrent: 1, key } })),
  'set.bulkhead.priority': inSet(
    'priority',
    (priority) => ({ bulkhead: { maxConcurrent: 1, maxQueue: 1, priority } }),
    twoAtOnce,
  ),
  'tracker.shouldTrip': inSet('trip strategy', (shouldTrip) => tracking({ shouldTrip }), { seenAtStart: false }),
  'tracker.record': inSet('trip strategy', (record) => tracking({ record }), { seenAtStart: false, wants: 'nothing' }),
  'tracker.recordLost': inSet(
    'trip strategy',
    (recordLost) => ({ ...tracking({ recordLost }), hedge: { after: 5 } }),
    hedged,
  ),
  'tracker.failsProbe': inSet('trip strategy', (failsProbe) => probing({ failsProbe }), {
    seenAtStart: false,
    work: probe,
    drive: afterReset,
    otherwise: [FINE],
  }),
  'tracker.reset': inSet(
    'trip strategy',
    (reset) => trip({ shouldTrip: () => false, track: () => ({ shouldTrip: () => 'own reason', reset }) }),
    { seenAtStart: false, wants: 'nothing', otherwise: [FINE, OPEN] },
  ),
  'execute.onRefused': onRefused,
  'module.systemProtection.exempt': ofRequests('exempt'),
  'module.systemProtection.priority': ofRequests('priority'),
  'module.rules.source.read': ofRuleSource('read'),
  'module.rules.source.watch': ofRuleSource('watch'),
  'module.rules.source.close': ofRuleSource('close'),
};

/** What callbacks do that they should not. */
const MISCHIEF: Readonly<Record<string, () => unknown>> = {
  throws: () => {
    throw new Error('callback');
  },
  'throws what cannot be looked at': () => {
    throw revoked();
  },
  'gives a promise': () => Promise.resolve(true),
  'gives a promise that rejects': () => Promise.reject(new Error('callback')),
  'gives a promise that hangs': () => new Promise(() => undefined),
  'gives a thenable that throws': () => ({
    then: () => {
      throw new Error('callback');
    },
  }),
  'gives a thenable that cannot be looked at': () => ({
    get then() {
      throw new Error('callback');
    },
  }),
  'gives a symbol': () => Symbol('rubbish'),
  'gives an object': () => ({}),
  'gives a strict proxy': strict,
  'gives a revoked proxy': revoked,
};

/** How a call ends; it never throws at once. */
async function outcomeOf(call: () => Promise<unknown>): Promise<Outcome> {
  const promise = call();
  try {
    return { gives: await promise };
  } catch (error) {
    return { rejectsWith: error };
  }
}

function expectOutcome(got: Outcome, wanted: Outcome | undefined): void {
  if (wanted === undefined || !('fails' in wanted)) return expect(got).toEqual(wanted);
  const { rejectsWith } = got as { rejectsWith: Error & { code?: string } };
  expect(rejectsWith.code ?? rejectsWith.message).toBe(wanted.fails);
}

const faults = new ProcessFaults();
beforeAll(() => faults.watch());
afterAll(() => faults.ignore());

describe.each(Object.entries(TABLE))('the callback %s', (path, row) => {
  const mischief = Object.entries(MISCHIEF).filter(
    ([what]) =>
      row.wants === 'value' ||
      (what !== 'gives a promise that hangs' && row.wants !== 'nothing') ||
      /throws|rejects/.test(what),
  );

  if (row.wants === 'value' && row.seenAtStart !== false)
    it('is refused at start, when it is async', async () => {
      const error = await row.refusal?.((async () => true) as Callback);

      expect(error?.name).toBe('ResilienceConfigurationError');
      expect(error?.message).toMatch(/not (an )?async/);
    });

  if (row.wants === 'value')
    it('has its default used and is reported once, when it fails', async () => {
      for (const [what, act] of mischief) {
        const { call, log, check } = await row.start(act as Callback);

        for (let made = 0; made < 2; made++)
          expectOutcome(await outcomeOf(call), row.otherwise[Math.min(made, row.otherwise.length - 1)]);

        expect(await faults.take(), what).toEqual([]);
        check();
        expect(
          log.ofBulwark('error').filter((line) => line.startsWith(`${row.place} failed: `)),
          what,
        ).toHaveLength(1);
      }
    });

  if (row.wants === 'answer')
    it('answers as an await of it does, and hurts nothing else', async () => {
      for (const [what, act] of mischief) {
        const { call, check } = await row.start((() => act()) as Callback);

        const [got, awaited] = [await outcomeOf(call), await outcomeOf(async () => act())];

        if (path.includes('recover') && 'rejectsWith' in awaited) expect(got, what).toEqual({ gives: undefined });
        else expect(Object.keys(got), what).toEqual(Object.keys(awaited));
        expect(await faults.take(), what).toEqual([]);
        check();
      }
    });

  if (row.wants === 'nothing')
    it('hurts no call, when it fails', async () => {
      for (const [what, act] of mischief) {
        const { call, check } = await row.start(act as Callback);

        const ends = [await outcomeOf(call), await outcomeOf(call)];

        const startsFail = path.startsWith('module.rules') && 'rejectsWith' in (ends[0] as Outcome);
        if (!startsFail)
          ends.forEach((end, made) => expectOutcome(end, row.otherwise[Math.min(made, row.otherwise.length - 1)]));
        expect(await faults.take(), what).toEqual([]);
        check();
      }
    });

  it('may call the guarded method again', async () => {
    let entered = 0;
    const scenes: Scene[] = [];
    const inner: Promise<unknown>[] = [];
    const scene = await row.start((() => {
      if (entered++ === 0) inner.push(...scenes.map(({ call }) => outcomeOf(call)));
      return undefined;
    }) as Callback);
    scenes.push(scene);

    const end = await outcomeOf(scene.call);
    await Promise.all(inner);

    expect(Object.keys(end)).toHaveLength(1);
    expect(await faults.take()).toEqual([]);
    scene.check();
  });
});
