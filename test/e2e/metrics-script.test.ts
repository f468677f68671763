import { Controller, Get, HttpException, Injectable, Query, UseInterceptors, type Type } from '@nestjs/common';
import {
  fixed,
  ResilienceException,
  ResilienceInterceptor,
  ResilienceModule,
  ResilienceService,
  Resilient,
  Signal,
  type PolicySet,
} from 'nestjs-bulwark';
import { ResilienceMetricsModule } from 'nestjs-bulwark/metrics';
import { Registry } from 'prom-client';
import { defer, from, Observable } from 'rxjs';
import { expect, it } from 'vitest';
import { parseExposition, seriesOf } from '../support/exposition.js';
import { pick, seededRandom } from '../support/seeded-random.js';
import { start } from './support/harness.js';

const CALLS = 1_000;
const KINDS = ['promise', 'observable', 'asyncIterable', 'execute', 'route'] as const;
type Kind = (typeof KINDS)[number];
type Work = () => unknown;

/** What this test has counted itself: how often each series should have gone up. */
class Tally {
  readonly counts: Record<string, number> = {};

  add(metric: string, ...labels: string[]): void {
    const key = `${metric} ${labels.join(' ')}`;
    this.counts[key] = (this.counts[key] ?? 0) + 1;
  }
}

let tally: Tally;

/** What a client learns of an error by HTTP. */
class Answered extends Error {
  constructor(
    readonly status: number,
    readonly code: string | undefined,
  ) {
    super(`${status} ${code ?? ''}`);
  }
}

/** The code of an error of the policies; undefined: it is none. */
const codeOf = (error: unknown): string | undefined =>
  error instanceof ResilienceException || error instanceof Answered ? error.code : undefined;

/** By which policy a call is refused. */
const REFUSED: Readonly<Record<string, string>> = { CIRCUIT_OPEN: 'circuit_breaker', RATE_LIMITED: 'rate_limit' };

/** What an error tells, seen once for each call. */
function noteError(name: string, error: unknown): void {
  const code = codeOf(error);
  if (code === 'TIMEOUT') tally.add('timeouts', name, 'per_attempt');
  else if (code !== undefined) tally.add('refusals', name, REFUSED[code] as string);
}

/** What a fallback stood in for, as the fallback itself sees it. */
function substitute(name: string): PolicySet['fallback'] {
  return {
    use: (error) => {
      noteError(name, error);
      const code = codeOf(error);
      tally.add('fallbacks', name, code === undefined ? 'failure' : code === 'TIMEOUT' ? 'timeout' : 'refused');
      return 'substitute';
    },
  };
}

const fine: Work = () => 'fine';
const fail: Work = () => {
  throw new Error('down');
};
const no: Work = () => {
  throw new HttpException('no', 404);
};
const hang: Work = () => new Promise(() => undefined);

const POLICIES: Readonly<Record<string, PolicySet>> = {
  plain: { circuitBreaker: { volumeThreshold: 10_000, timeout: false } },
  tried: { retry: { maxAttempts: 3, backoff: fixed(0), budget: false } },
  hurried: { timeout: 5 },
  covered: { timeout: 5, fallback: substitute('covered') },
  caught: { recover: { value: 'recovered', log: false } },
  shut: { circuitBreaker: { timeout: false } },
  standIn: { circuitBreaker: { timeout: false }, fallback: substitute('standIn') },
  limited: { rateLimit: { limit: 3, per: 3_600_000 } },
};

/** Fails so many times, and then succeeds; counts the attempts of its call. */
class Failing {
  runs = 0;

  constructor(private readonly times: number) {}

  readonly work: Work = () => (this.runs++ < this.times ? fail() : 'fine');
}

/** What may be asked of each set. */
const WORKS: Readonly<Record<string, readonly Work[]>> = {
  plain: [fine, fine, fail, no],
  hurried: [hang, fine],
  covered: [fine, fail, hang, no],
  caught: [fine, fail],
  shut: [fine],
  standIn: [fine],
  limited: [fine],
};

@Injectable()
class Shop {}

/** The works of requests that are under way. */
const requested = new Map<string, Work>();

@Controller()
class Routes {}

const BODIES = {
  promise: async (work: Work, _signal?: AbortSignal): Promise<unknown> => work(),
  observable: (work: Work): Observable<unknown> => defer(() => from(Promise.resolve().then(work))),
  asyncIterable: async function* (work: Work): AsyncGenerator<unknown> {
    yield await work();
  },
};

function define(
  target: Type,
  name: string,
  body: (...args: never[]) => unknown,
  ...decorators: MethodDecorator[]
): void {
  Object.defineProperty(target.prototype, name, { value: body, configurable: true, writable: true });
  for (const decorate of decorators) {
    const descriptor = Object.getOwnPropertyDescriptor(target.prototype, name) as PropertyDescriptor;
    decorate(target.prototype as object, name, descriptor);
    Object.defineProperty(target.prototype, name, descriptor);
  }
}

for (const set of Object.keys(POLICIES)) {
  for (const [kind, body] of Object.entries(BODIES)) {
    const name = `${kind}_${set}`;
    if (kind === 'observable') Reflect.defineMetadata('design:returntype', Observable, Shop.prototype, name);
    if (kind === 'promise') Signal()(Shop.prototype, name, 1);
    define(Shop, name, body, Resilient(set) as MethodDecorator);
  }
  Query('id')(Routes.prototype, set, 0);
  define(
    Routes,
    set,
    async (id: string) => (requested.get(id) as Work)(),
    Get(set),
    UseInterceptors(ResilienceInterceptor.with(set)),
  );
}

/** How a caller of each kind asks, and what it gets. */
function callers(shop: Shop, service: ResilienceService, url: string) {
  const methods = shop as Record<string, (work: Work, signal?: AbortSignal) => never>;
  const call = (kind: Kind, set: string) => methods[`${kind}_${set}`] as (work: Work, signal?: AbortSignal) => never;
  return {
    promise: (set: string, work: Work, signal?: AbortSignal): Promise<unknown> => {
      return (call('promise', set).bind(shop) as (...args: unknown[]) => Promise<unknown>)(work, signal);
    },
    observable: (set: string, work: Work, signal?: AbortSignal): Promise<unknown> =>
      new Promise((resolve, reject) => {
        const values = (call('observable', set).bind(shop) as (work: Work) => Observable<unknown>)(work);
        const subscription = values.subscribe({ next: resolve, error: reject });
        signal?.addEventListener('abort', () => {
          subscription.unsubscribe();
          reject(new Error('aborted'));
        });
      }),
    asyncIterable: async (set: string, work: Work, signal?: AbortSignal): Promise<unknown> => {
      const items = (call('asyncIterable', set).bind(shop) as (work: Work) => AsyncGenerator<unknown>)(work);
      const first = items.next();
      signal?.addEventListener('abort', () => void items.return(undefined));
      const { value, done } = await first;
      if (done === true) throw new Error('aborted');
      // To its end: a consumer that leaves is another story.
      await items.next();
      return value;
    },
    execute: (set: string, work: Work, signal?: AbortSignal): Promise<unknown> =>
      service.execute(set, work, signal === undefined ? {} : { signal }),
    route: async (set: string, work: Work): Promise<unknown> => {
      const id = String(requested.size);
      requested.set(id, work);
      const answer = await fetch(`${url}/${set}?id=${id}`);
      const text = await answer.text();
      if (answer.ok) return text;
      const { errorCode } = JSON.parse(text) as { errorCode?: string };
      throw new Answered(answer.status, errorCode);
    },
  };
}

/** What a caller has got, in the words of the metrics. */
async function outcomeOf(set: string, call: Promise<unknown>, isAborted: () => boolean): Promise<string> {
  try {
    const value = await call;
    return value === 'substitute' ? 'fallback' : value === 'recovered' ? 'recovered' : 'success';
  } catch (error) {
    if (isAborted()) return 'aborted';
    noteError(set, error);
    if (REFUSED[codeOf(error) ?? ''] !== undefined) return 'refused';
    const { status } = error as { status?: number };
    return status === 404 ? 'client_error' : 'failure';
  }
}

it(`the counters of ${CALLS} calls are what whoever made them has counted`, async () => {
  tally = new Tally();
  const random = seededRandom(15);
  const registry = new Registry();
  const { app, url } = await start({
    imports: [
      ResilienceModule.forRoot({ log: false, policies: POLICIES }),
      ResilienceMetricsModule.forRoot({ registry }),
    ],
    providers: [Shop],
    controllers: [Routes],
  });
  const service = app.get(ResilienceService);
  for (const name of ['shut', 'standIn']) service.circuitBreaker(name).forceOpen();
  const ask = callers(app.get(Shop), service, url);
  const sets = Object.keys(POLICIES);

  for (let made = 0; made < CALLS; made++) {
    const kind = KINDS[made % KINDS.length] as Kind;
    const set = sets[pick(random, sets.length)] as string;
    const failing = new Failing(pick(random, 4));
    const works = WORKS[set] ?? [failing.work];
    let work = works[pick(random, works.length)] as Work;
    const caller = set === 'plain' && kind !== 'route' && random() < 0.3 ? new AbortController() : undefined;
    if (caller !== undefined)
      work = () => {
        setImmediate(() => caller.abort());
        return hang();
      };
    const outcome = await outcomeOf(set, ask[kind](set, work, caller?.signal), () => caller?.signal.aborted === true);
    tally.add('calls', set, outcome);
    for (let retry = 1; retry < failing.runs; retry++) tally.add('retries', set);
    if (failing.runs > 1) tally.add('retried_calls', set, outcome);
    if (failing.runs === 3 && outcome === 'failure') tally.add('retries_suppressed', set, 'max_attempts');
  }

  const all = parseExposition(await registry.metrics());
  const counted = (metric: string, prefix = `bulwark_${metric}_total`) =>
    Object.entries(seriesOf(all, prefix)).flatMap(([labels, count]): [string, number][] => {
      const values = labels.split(',').map((pair) => pair.split('=')[1] as string);
      return count === 0 ? [] : [[`${metric} ${values.join(' ')}`, count]];
    });
  const metrics = ['calls', 'refusals', 'retries', 'retried_calls', 'retries_suppressed', 'timeouts', 'fallbacks'];
  expect(Object.fromEntries(metrics.flatMap((metric) => counted(metric)))).toEqual(tally.counts);

  const calls = Object.values(seriesOf(all, 'bulwark_calls_total')).reduce((sum, count) => sum + count, 0);
  expect(calls).toBe(CALLS);
  const outcomes = new Set(Object.keys(tally.counts).flatMap((key) => /^calls \S+ (\S+)$/.exec(key)?.[1] ?? []));
  expect([...outcomes].sort()).toEqual(
    ['aborted', 'client_error', 'failure', 'fallback', 'recovered', 'refused', 'success'].sort(),
  );
});
