import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  anyOf,
  Breaker,
  CircuitBreaker,
  CircuitOpenException,
  consecutiveFailures,
  countWindow,
  exponential,
  failureRate,
  ResilienceModule,
  ResilienceService,
  Resilient,
  slowCallRate,
  TimeoutException,
  type BreakerSnapshot,
  type CircuitBreakerOptions,
} from 'nestjs-bulwark';
import { UpstreamHttpError } from 'nestjs-bulwark/http';
import OldBreaker from 'opossum';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { fail, guard, hang, pass, startApp } from '../../composition/scene.js';
import { quietly } from '../support/plain-opossum.js';

// What the ways over, and the pages of the breaker, say of breakers of ours.

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** How long a breaker stays open that its first call opens, ms. */
async function openTimeOf(options: CircuitBreakerOptions, work: () => unknown = fail()): Promise<number> {
  const scene = await guard([CircuitBreaker({ trip: consecutiveFailures(1), ...options })], work);
  await quietly(scene.call());
  return Math.round((scene.breaker().snapshot().probeAt ?? 0) - Date.now());
}

describe('how long it stays open', () => {
  it('is left to chance from 0 on by a backoff, unless that has no jitter of its own', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.01);
    onTestFinished(() => void vi.restoreAllMocks());

    const ofItsOwn = await openTimeOf({ resetTimeout: exponential({ initial: 1_000, max: 30_000 }) });
    const without = await openTimeOf({ resetTimeout: exponential({ initial: 1_000, max: 30_000, jitter: 'none' }) });

    expect([ofItsOwn, without]).toEqual([10, 1_001]);
  });

  it('is an error of a backoff that begins above 10 s and does not say max', () => {
    expect(() => exponential({ initial: 30_000, factor: 1.5 })).toThrow("option 'max': expected at least 'initial'");
    expect(() => exponential({ initial: 30_000, factor: 1.5, max: 300_000, jitter: 'none' })).not.toThrow();
  });

  it.each([
    ['1', 5_000],
    ['20', 20_000],
    ['600', 60_000],
  ])('is at least what a Retry-After of %s s asks for, up to 60 s, returned or thrown', async (after, openMs) => {
    const answer = (): Response => new Response('', { status: 503, headers: { 'retry-after': after } });
    const options = { resetTimeout: 5_000, resetJitter: 0 };

    const returned = await openTimeOf({ ...options, isFailure: () => true }, answer);
    const thrown = await openTimeOf(options, () => Promise.reject(new UpstreamHttpError(answer())));

    expect([returned, thrown]).toEqual([openMs, openMs]);
  });
});

describe('slow calls', () => {
  /** The state after ten calls that are all cut at 1 s. */
  const afterCuts = async (slowerThan: number): Promise<string> => {
    const trip = slowCallRate({ slowerThan, percentage: 60 });
    const scene = await guard([CircuitBreaker({ timeout: 1_000, trip })], hang);
    for (let call = 0; call < 10; call++) void quietly(scene.call());
    await pass(1_000);
    return scene.breaker().state;
  };

  it('are those that were cut as well, by the time of the limit', async () => {
    expect([await afterCuts(900), await afterCuts(1_100)]).toEqual(['open', 'closed']);
  });

  it('fail as probes, against the share of the probes that may fail', async () => {
    const trip = anyOf(countWindow({ size: 4, percentage: 50 }), slowCallRate({ slowerThan: 100, percentage: 100 }));
    const scene = await guard(
      [CircuitBreaker({ trip, resetTimeout: 1_000, halfOpenCalls: 4, halfOpenErrorThresholdPercentage: 49 })],
      (run) => (run <= 4 ? fail()() : new Promise((resolve) => setTimeout(resolve, 200))),
    );
    for (let call = 0; call < 4; call++) await quietly(scene.call());
    await pass(1_100);

    const states: string[] = [];
    for (let probe = 0; probe < 2; probe++) {
      void quietly(scene.call());
      await pass(200);
      states.push(scene.breaker().state);
    }

    expect(states).toEqual(['halfOpen', 'open']);
  });
});

it('keeps the countWindow of the default until failureRate() is said', async () => {
  const callsUntilOpen = async (circuitBreaker: CircuitBreakerOptions): Promise<number> => {
    @Injectable()
    class Client {
      @Resilient('rates')
      async call(): Promise<void> {
        await fail()();
      }
    }
    const byCount = { circuitBreaker: { trip: countWindow({ size: 30, percentage: 50 }) } };
    const scene = await startApp([Client], { policies: { default: byCount, rates: { circuitBreaker } } });
    let calls = 0;
    for (; scene.breaker('rates').state === 'closed'; calls++) await quietly(scene.get(Client).call());
    return calls;
  };
  const byTime = { rollingCountTimeout: 5_000, volumeThreshold: 6, errorThresholdPercentage: 40 };

  expect([await callsUntilOpen(byTime), await callsUntilOpen({ ...byTime, trip: failureRate() })]).toEqual([30, 6]);
});

it('asks answerOn about its own TimeoutException', async () => {
  class IOException extends Error {}
  const stateBy = async (answerOn: (error: unknown) => boolean): Promise<string> => {
    const scene = await guard([CircuitBreaker({ timeout: 100, trip: consecutiveFailures(1), answerOn })], hang);
    void quietly(scene.call());
    await pass(100);
    return scene.breaker().state;
  };

  const natural = await stateBy((error) => !(error instanceof IOException));
  const right = await stateBy((error) => !(error instanceof IOException || error instanceof TimeoutException));

  expect([natural, right]).toEqual(['closed', 'open']);
});

it('lets the handle without a key speak for all keys, and know none', async () => {
  @Injectable()
  class Client {
    @CircuitBreaker('rates', { key: (bureau: string) => bureau, trip: consecutiveFailures(1) })
    async call(bureau: string): Promise<string> {
      return bureau === 'bad' ? fail()() : bureau;
    }
  }
  const scene = await startApp([Client]);
  const client = scene.get(Client);
  await quietly(client.call('bad'));

  const states = [scene.breaker('rates').state, scene.resilience.circuitBreaker('rates', 'bad').state];
  scene.breaker('rates').forceOpen('maintenance');

  expect(states).toEqual(['closed', 'open']);
  await expect(client.call('good')).rejects.toBeInstanceOf(CircuitOpenException);
});

describe('a breaker made by hand', () => {
  it('belongs to no app', async () => {
    const scene = await startApp([]);
    const rates = new Breaker('rates', { volumeThreshold: 1 });
    onTestFinished(() => rates.shutdown());

    await quietly(rates.fire(fail()));

    expect(rates.state).toBe('open');
    expect([scene.resilience.circuitBreakers(), scene.events]).toEqual([[], []]);
  });

  it('is no fallback of another', () => {
    const fallback = new Breaker('spare') as never;

    expect(() => new Breaker('rates').fallback(fallback)).toThrow(TypeError);
  });

  it('tells close when it is enabled again, where opossum tells nothing', () => {
    const old = new OldBreaker(fail(), { enabled: false });
    onTestFinished(() => old.shutdown());
    const closed = vi.fn();

    for (const breaker of [old, new Breaker('rates', { enabled: false })]) {
      breaker.on('close', () => closed(breaker === old ? 'opossum' : 'here'));
      breaker.enable();
    }

    expect(closed.mock.calls).toEqual([['here']]);
  });
});

it('takes a snapshot in onModuleInit, and not what toJSON() gives', async () => {
  const kept: BreakerSnapshot = {
    name: 'rates',
    state: 'open',
    reason: 'kept',
    openings: 1,
    probeAt: Date.now() + 3_000,
  };
  @Injectable()
  class Client implements OnModuleInit {
    constructor(private readonly resilience: ResilienceService) {}

    onModuleInit(): void {
      this.resilience.circuitBreaker('rates').restore(kept);
    }

    @CircuitBreaker('rates', {})
    async call(): Promise<void> {}
  }

  const scene = await startApp([Client]);
  const handle = scene.breaker('rates');

  expect(handle.state).toBe('open');
  expect(() => handle.restore(handle.toJSON() as never)).toThrow('expected what snapshot() gave');
});

it('knows no set by the name of a breaker alone', async () => {
  const scene = await guard([CircuitBreaker('rates', {})], () => 1);

  await expect(scene.resilience.execute('rates', () => 1)).rejects.toThrow("unknown policy set 'rates'");
});

it.each([
  ['with the next call', false, ['open', 'half-open']],
  ['in time where somebody listens', true, ['open', 'half-open', 'open']],
])('logs %s that a probe hung', async (_when, listened, inTime) => {
  @Injectable()
  class Client {
    private runs = 0;

    @CircuitBreaker('rates', {
      trip: consecutiveFailures(1),
      timeout: false,
      resetTimeout: 1_000,
      resetJitter: 0,
      halfOpenMaxWait: 500,
    })
    async call(): Promise<void> {
      await (++this.runs === 1 ? fail()() : hang());
    }
  }
  const lines: string[] = [];
  const note = (text: unknown): void => {
    const [, state] = /^rates: circuit breaker is (\S+)/.exec(String(text)) ?? [];
    if (state !== undefined) lines.push(state);
  };
  const module = await Test.createTestingModule({ imports: [ResilienceModule.forRoot()], providers: [Client] })
    .setLogger({ log: note, warn: note, error: note })
    .compile();
  onTestFinished(() => Logger.overrideLogger(false));
  await module.init();
  onTestFinished(() => module.close());
  const resilience = module.get(ResilienceService);
  if (listened) resilience.events$.subscribe();
  const client = module.get(Client);
  await quietly(client.call());
  await pass(1_000);
  void quietly(client.call());

  await pass(600);
  const state = resilience.circuitBreaker('rates').state;
  const early = [...lines];
  await quietly(client.call());

  expect(state).toBe('open');
  expect([early, lines]).toEqual([inTime, ['open', 'half-open', 'open']]);
});
