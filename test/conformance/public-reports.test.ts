import { NotFoundException } from '@nestjs/common';
import {
  Bulkhead,
  CircuitBreaker,
  CircuitOpenException,
  consecutiveFailures,
  Fallback,
  fixed,
  Hedge,
  Retry,
  Timeout,
  TimeoutException,
} from 'nestjs-bulwark';
import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Deferred, guard, hang, pass, settle, watch } from '../composition/scene.js';

/** Faults that users of comparable libraries have reported. Each is tried here as it was reported there. */

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const breaker = (options: object = {}) =>
  CircuitBreaker({ trip: consecutiveFailures(5), resetTimeout: 1_000, resetJitter: 0, timeout: false, ...options });

describe('reported against opossum', () => {
  it('#385: failures that come at once do not keep it from ever probing', async () => {
    const scene = await guard([breaker()], (run) => (run <= 6 ? Promise.reject(new Error('down')) : 'up'));

    const six = Array.from({ length: 6 }, () => watch(scene.call()));
    await settle();
    expect(scene.breaker().state).toBe('open');
    await pass(1_000);

    expect(six.every(({ settled }) => settled)).toBe(true);
    expect(await scene.call()).toBe('up');
    expect(scene.breaker().state).toBe('closed');
  });

  it('#57, #119: of calls that come together while it is half open one runs, and a failed probe opens it again', async () => {
    const probe = new Deferred();
    const scene = await guard([breaker()], (run) => (run <= 5 ? Promise.reject(new Error('down')) : probe.promise));
    for (let i = 0; i < 5; i++) await scene.call().catch(() => undefined);
    await pass(1_000);

    const calls = Array.from({ length: 50 }, () => watch(scene.call()));
    await settle();
    expect(scene.runs()).toBe(6);
    probe.reject(new Error('still down'));
    await settle();

    expect(calls.filter(({ error }) => error instanceof CircuitOpenException)).toHaveLength(49);
    expect(scene.breaker().state).toBe('open');
    await pass(1_000);
    expect(scene.breaker().state).toBe('halfOpen');
  });

  it('#719: it is half open when its time is over, although no timer runs and nobody has called it since', async () => {
    const scene = await guard([breaker()], () => Promise.reject(new Error('down')));
    for (let i = 0; i < 5; i++) await scene.call().catch(() => undefined);

    vi.advanceTimersByTime(1_000);

    expect(scene.breaker().state).toBe('halfOpen');
  });
});

describe('reported against cockatiel', () => {
  it("#69, #81: attempts leave no listener on the caller's signal", async () => {
    const scene = await guard(
      [Fallback({ value: 'substitute' }), Timeout(100), Retry({ maxAttempts: 30, backoff: fixed(1), budget: false })],
      () => Promise.reject(new Error('down')),
    );
    const { signal } = new AbortController();
    let most = 0;

    const call = watch(scene.call(signal));
    for (let i = 0; i < 40; i++) {
      await pass(1);
      most = Math.max(most, getEventListeners(signal, 'abort').length);
    }

    expect(call.value).toBe('substitute');
    expect(scene.runs()).toBe(30);
    expect(most).toBeLessThanOrEqual(1);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});

describe('reported against resilience4j', () => {
  it('#544: an ignored error gives the permit of its probe back', async () => {
    class Ignored extends Error {}
    const scene = await guard(
      [breaker({ halfOpenCalls: 2, errorFilter: (error: unknown) => error instanceof Ignored })],
      (run) => (run <= 5 ? Promise.reject(new Error('down')) : run <= 9 ? Promise.reject(new Ignored()) : 'up'),
    );
    for (let i = 0; i < 5; i++) await scene.call().catch(() => undefined);
    await pass(1_000);

    for (let i = 0; i < 4; i++) await scene.call().catch(() => undefined);
    expect(scene.breaker().state).toBe('halfOpen');

    expect([await scene.call(), await scene.call()]).toEqual(['up', 'up']);
    expect(scene.breaker().state).toBe('closed');
  });

  it('#1432: no more probes run at once than are allowed', async () => {
    const scene = await guard([breaker({ halfOpenCalls: 3 })], (run) =>
      run <= 5 ? Promise.reject(new Error('down')) : hang(),
    );
    for (let i = 0; i < 5; i++) await scene.call().catch(() => undefined);
    await pass(1_000);

    for (let i = 0; i < 20; i++) watch(scene.call());
    await settle();

    expect(scene.runs()).toBe(5 + 3);
  });

  it('#989: a full bulkhead opens no breaker, whatever stands in for it', async () => {
    const scene = await guard([Fallback({ value: 'substitute' }), breaker(), Bulkhead(1)], hang);
    watch(scene.call());
    await settle();

    for (let i = 0; i < 20; i++) expect(await scene.call()).toBe('substitute');

    expect(scene.breaker().state).toBe('closed');
  });
});

describe('reported against SmallRye', () => {
  it('#320: an answer of a half-open breaker, such as 404, counts as it does in a closed one', async () => {
    const scene = await guard([breaker()], (run) =>
      Promise.reject(run <= 5 ? new Error('down') : new NotFoundException()),
    );
    for (let i = 0; i < 5; i++) await scene.call().catch(() => undefined);
    await pass(1_000);

    await scene.call().catch(() => undefined);

    expect(scene.breaker().state).toBe('closed');
  });
});

describe('reported against Polly', () => {
  it.each([
    ['timeout', [Timeout({ perAttempt: 500, total: 900 })]],
    ['hedging', [Hedge({ after: 10, maxAttempts: 3 })]],
    ['all of them', [Timeout({ perAttempt: 500, total: 900 }), Retry(3), Hedge({ after: 10 }), breaker()]],
  ])('#3086: the caller gets his own reason, whatever signals stand between: %s', async (_, guards) => {
    const scene = await guard(guards, (__, signal) => {
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
    });
    const controller = new AbortController();
    const reason = new Error('the caller has left');

    const call = watch(scene.call(controller.signal));
    await pass(20);
    controller.abort(reason);
    await settle();

    expect(call.error).toBe(reason);
  });

  it('#2278: a total limit ends retries that fail faster than it, and says which of both it was', async () => {
    const waiting = await guard(
      [Timeout({ total: 100 }), Retry({ maxAttempts: 1_000, backoff: fixed(20), budget: false })],
      (run) => Promise.reject(new Error(`failure ${run}`)),
    );
    const hanging = await guard([Timeout({ total: 100 }), Retry(3)], hang);

    const [failed, cut] = [watch(waiting.call()), watch(hanging.call())];
    await pass(100);

    // A wait that would pass the deadline is not begun, so the last error comes and not a timeout.
    expect(failed.error).toMatchObject({ message: 'failure 5' });
    expect(cut.error).toBeInstanceOf(TimeoutException);
  });
});
