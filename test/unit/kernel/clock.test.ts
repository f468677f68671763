import { AsyncLocalStorage } from 'node:async_hooks';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../../lib/kernel/clock.js';

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe('systemClock', () => {
  it('runs on monotonic time, whatever becomes of the wall clock', () => {
    vi.useFakeTimers();
    const before = systemClock.now();

    vi.advanceTimersByTime(250);
    vi.setSystemTime(new Date('2001-01-01T00:00:00Z'));

    expect(systemClock.now() - before).toBe(250);
    expect(systemClock.wallNow()).toBe(Date.parse('2001-01-01T00:00:00Z'));
  });

  it('moves with the date where the timers are faked and `performance` is not, as by node:test', () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'Date'] });
    const before = systemClock.now();

    vi.advanceTimersByTime(250);

    expect(systemClock.now() - before).toBe(250);
  });

  it('is real where the timers alone are faked', () => {
    vi.useFakeTimers({ toFake: ['setTimeout'] });
    const before = systemClock.now();

    vi.advanceTimersByTime(60_000);

    expect(systemClock.now() - before).toBeLessThan(60_000);
  });

  it('sets and clears timers, also faked ones', () => {
    vi.useFakeTimers();
    const ran: string[] = [];

    systemClock.setTimeout(() => ran.push('kept'), 10);
    systemClock.clearTimeout(systemClock.setTimeout(() => ran.push('cleared'), 10));
    vi.advanceTimersByTime(9);
    expect(ran).toEqual([]);
    vi.advanceTimersByTime(1);

    expect(ran).toEqual(['kept']);
  });

  it('makes timers and immediates outside of the context in which it is asked to', () => {
    const context = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    const timer = vi.spyOn(globalThis, 'setTimeout').mockImplementation((() => seen.push(context.getStore())) as never);
    const immediate = vi
      .spyOn(globalThis, 'setImmediate')
      .mockImplementation((() => seen.push(context.getStore())) as never);

    context.run('the request', () => {
      systemClock.setTimeout(() => {}, 1);
      systemClock.setImmediate(() => {});
    });

    expect([timer.mock.calls.length, immediate.mock.calls.length]).toEqual([1, 1]);
    expect(seen).toEqual([undefined, undefined]);
  });

  it('runs an immediate without the context of who asked', async () => {
    const context = new AsyncLocalStorage<string>();

    const store = await context.run(
      'the request',
      () => new Promise((resolve) => systemClock.setImmediate(() => resolve(context.getStore()))),
    );

    expect(store).toBeUndefined();
  });
});
