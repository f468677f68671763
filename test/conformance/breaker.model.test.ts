import * as fc from 'fast-check';
import {
  BulkheadFullException,
  CircuitOpenException,
  consecutiveFailures,
  countWindow,
  failureCount,
  failureRate,
  slowCallRate,
  type TripStrategy,
} from 'nestjs-bulwark';
import { expect, it } from 'vitest';
import type { Attempt } from '../../lib/kernel/attempt.js';
import type { Breaker } from '../../lib/policies/circuit-breaker/breaker.js';
import { CIRCUIT_BREAKER_DEFAULTS } from '../../lib/policies/circuit-breaker/circuit-breaker.options.js';
import { CircuitBreakerGuard } from '../../lib/policies/circuit-breaker/circuit-breaker.guard.js';
import { NamedBreakers } from '../../lib/policies/circuit-breaker/named-breakers.js';
import { execute, ManualWork, newCall, scripted } from '../support/calls.js';
import { settle, track } from '../support/settle.js';
import { TestEnvironment } from '../support/test-environment.js';
import { ENDINGS, histories, type Ending, type History, type Operation, type Step } from './support/histories.js';
import { NaiveBreaker, type Ticket, type Trip } from './support/naive-breaker.js';
import { runs } from '../support/runs.js';

/** The transition timer may be this late in telling; the state itself is never late. */
const TOLD_WITHIN_MS = 10;

/**
 * A failure is reproduced by the seed and the path that it prints:
 * `FC_SEED=... FC_PATH=... npx vitest run test/conformance/breaker.model.test.ts`
 */
const RUN: fc.Parameters<[History]> = {
  numRuns: runs(1_000, 10_000),
  seed: Number(process.env['FC_SEED'] ?? 20_260_301),
  ...(process.env['FC_PATH'] === undefined ? {} : { path: process.env['FC_PATH'] }),
};

it(
  'is always in the state, admits the calls and has the counts of the contract, when anything happens in any order',
  { timeout: 120_000 },
  async () => {
    await fc.assert(
      fc.asyncProperty(histories, async (history) => {
        const comparison = new Comparison(history);

        for (const [index, step] of history.steps.entries()) {
          await comparison.take(step);

          expect(comparison.ours(), `after step ${index}, ${JSON.stringify(step)}`).toEqual(comparison.naive());
        }

        comparison.expectSameChanges();
      }),
      RUN,
    );
  },
);

it.each([
  { rule: 'failureRate', trip: failureRate() },
  { rule: 'countWindow', trip: countWindow({ size: 50, percentage: 58 }) },
])('reaches a limit of 58 % with 29 failures of 50 calls, by $rule', async ({ trip }) => {
  const environment = new TestEnvironment();
  const options = { ...CIRCUIT_BREAKER_DEFAULTS, trip, errorThresholdPercentage: 58, volumeThreshold: 50 };
  const breakers = new NamedBreakers('upstream', options, environment);
  const outcomes = Array.from({ length: 50 }, (_, index) => (index < 29 ? new Error('down') : 'done'));
  const guard = new CircuitBreakerGuard(breakers);
  const { run } = scripted(outcomes);

  for (const _ of outcomes) await execute(guard, newCall(environment), run).catch(() => undefined);

  // 29 / 50 * 100 is 57.99999999999999.
  expect(breakers.breaker()?.state).toBe('open');
});

it('reaches a limit of 58 % with 29 slow calls of 50, by slowCallRate', async () => {
  const environment = new TestEnvironment();
  const trip = slowCallRate({ slowerThan: 10, percentage: 58 });
  const breakers = new NamedBreakers(
    'upstream',
    { ...CIRCUIT_BREAKER_DEFAULTS, trip, volumeThreshold: 50 },
    environment,
  );
  const guard = new CircuitBreakerGuard(breakers);
  const work = new ManualWork();

  for (let call = 0; call < 50; call++) {
    const done = execute(guard, newCall(environment), work.run);
    environment.clock.block(call < 29 ? 20 : 1);
    work.succeed(call);
    await done;
  }

  expect(breakers.breaker()?.state).toBe('open');
});

const STRATEGIES: { [R in Trip['rule']]: (trip: Extract<Trip, { rule: R }>) => TripStrategy } = {
  failureRate: () => failureRate(),
  consecutiveFailures: (trip) => consecutiveFailures((trip as { limit: number }).limit),
  failureCount: (trip) => failureCount((trip as { limit: number }).limit),
  countWindow: ({ size, percentage, minimum }) => countWindow({ size, percentage, minimum }),
};

/** The breaker and the naive one, side by side. */
class Comparison {
  readonly #environment: TestEnvironment;
  readonly #work = new ManualWork();
  readonly #breakers: NamedBreakers;
  readonly #guard: CircuitBreakerGuard;
  readonly #naive: NaiveBreaker;
  readonly #spans: Record<Extract<Step, { do: 'passExactly' }>['span'], number>;
  /** Admitted calls that have not ended. */
  readonly #running: { index: number; call: Attempt; ticket: Ticket }[] = [];

  constructor({ options, offset, listening }: History) {
    this.#environment = new TestEnvironment(listening);
    this.#environment.clock.block(offset);
    const { trip, rollingCountTimeout: window, rollingCountBuckets, resetTimeout, halfOpenMaxWait } = options;
    const strategy = (STRATEGIES[trip.rule] as (trip: Trip) => TripStrategy)(trip);
    this.#breakers = new NamedBreakers(
      'upstream',
      {
        ...CIRCUIT_BREAKER_DEFAULTS,
        ...options,
        trip: strategy,
        resetJitter: 0,
        errorFilter: (error) => error === EXPECTED,
        isFailure: (result) => result === 'bad',
      },
      this.#environment,
    );
    this.#guard = new CircuitBreakerGuard(this.#breakers);
    this.#naive = new NaiveBreaker(options, this.#now);
    this.#spans = { bucket: window / rollingCountBuckets, window, resetTimeout, halfOpenMaxWait };
  }

  ours() {
    const { successes, failures, rejects } = this.#breaker.stats;
    return { state: this.#breaker.state, successes, failures, rejects };
  }

  naive() {
    this.#naive.settle(this.#now);
    return { state: this.#naive.state, ...this.#naive.counts(this.#now) };
  }

  /** Whoever listens is told of every change, with the moment at which it came about. */
  expectSameChanges(): void {
    const { clock, told } = this.#environment;
    const wallToMonotonic = clock.wallNow() - clock.now();
    const ours = told.flatMap((event) =>
      event.type === 'stateChange' ? `${event.from} > ${event.to} @ ${Math.round(event.at - wallToMonotonic)}` : [],
    );
    const all = this.#naive.changes;
    const due = all.filter(({ at }) => at <= this.#now - TOLD_WITHIN_MS);
    // What lasts less than the timer can tell apart need not be told.
    if (!this.#environment.events.active || this.#spans.resetTimeout < TOLD_WITHIN_MS) return;

    expect(ours).toEqual(all.slice(0, ours.length).map(({ change }) => change));
    expect(ours.length, 'changes told in time').toBeGreaterThanOrEqual(due.length);
  }

  async take(step: Step): Promise<void> {
    switch (step.do) {
      case 'begin':
        await this.#begin();
        return;
      case 'end':
        return this.#end(step.which % Math.max(1, this.#running.length), step.as);
      case 'call':
        if (await this.#begin()) await this.#end(this.#running.length - 1, step.as);
        return;
      case 'pass':
        return this.#environment.clock.advance(step.ms);
      case 'passExactly':
        return this.#environment.clock.advance(this.#spans[step.span]);
      case 'toHalfOpen':
        this.#operate('open');
        return this.#environment.clock.advance(this.#spans.resetTimeout);
      default:
        return this.#operate(step.do);
    }
  }

  /** @returns whether the call was admitted. */
  async #begin(): Promise<boolean> {
    const begun = this.#work.begun;
    const call = newCall(this.#environment);
    const ticket = this.#naive.begin(this.#now);

    const result = track(execute(this.#guard, call, this.#work.run));
    await settle();

    expect(this.#work.begun - begun, 'admitted calls').toBe(ticket === undefined ? 0 : 1);
    if (ticket !== undefined) this.#running.push({ index: begun, call, ticket });
    else this.#expectRefusal(result.outcome);
    return ticket !== undefined;
  }

  #expectRefusal(error: unknown): void {
    expect(error).toBeInstanceOf(CircuitOpenException);
    expect((error as CircuitOpenException).retryAfterMs).toBe(this.#naive.timeToProbe(this.#now));
  }

  async #end(which: number, as: Ending): Promise<void> {
    const [ended] = this.#running.splice(which, 1);
    if (ended === undefined) return;
    this.#naive.end(ended.ticket, ENDINGS[as], this.#now);
    if (as === 'value') this.#work.succeed(ended.index);
    else if (as === 'a result that isFailure names') this.#work.succeed(ended.index, 'bad');
    else {
      const error = ERRORS[as];
      if (as === 'the caller aborts') ended.call.abort(error);
      this.#work.fail(ended.index, error);
    }
    await settle();
  }

  #operate(operation: Operation): void {
    const naive = this.#naive;
    const now = this.#now;
    const breaker = this.#breaker;
    naive.settle(now);
    // What the others mean for a disabled breaker is a matter of its own.
    if (naive.state === 'disabled' && operation !== 'enable' && operation !== 'disable') return;
    switch (operation) {
      case 'open':
        if (naive.state !== 'open' && naive.state !== 'forcedOpen') naive.enter('open', now);
        return breaker.open();
      case 'forceOpen':
        naive.enter('forcedOpen', now);
        return breaker.forceOpen();
      case 'forceClose':
        naive.enter('closed', now);
        return breaker.close();
      case 'reset':
        naive.enter('closed', now);
        return breaker.reset();
      case 'disable':
        if (naive.state !== 'disabled') naive.enter('disabled', now);
        return breaker.disable();
      case 'enable':
        if (naive.state === 'disabled' || naive.state === 'forcedOpen') naive.enter('closed', now);
        return breaker.enable();
    }
  }

  get #breaker(): Breaker {
    return this.#breakers.breaker() as Breaker;
  }

  get #now(): number {
    return this.#environment.clock.now();
  }
}

const EXPECTED = new Error('expected');

const ERRORS: Record<Exclude<Ending, 'value' | 'a result that isFailure names'>, unknown> = {
  error: new Error('down'),
  'another 4xx': Object.assign(new Error('Not Found'), { status: 404 }),
  'an error that errorFilter names': EXPECTED,
  'a refusal inside': new BulkheadFullException({ policy: 'bulkhead', instanceName: 'inner', message: 'full' }),
  'the caller aborts': new DOMException('the caller has gone', 'AbortError'),
};
