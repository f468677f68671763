import { after, virtualClock } from 'nestjs-bulwark/testing';
import { describe, expect, it } from 'vitest';
import { errorOf } from '../../support/settle.js';

describe('virtualClock()', () => {
  it('stands still until it is told to move', async () => {
    const clock = virtualClock();
    const [now, wall] = [clock.now(), clock.wallNow()];

    await new Promise((resolve) => setTimeout(resolve, 5));
    expect([clock.now(), clock.wallNow()]).toEqual([now, wall]);
    await clock.advance(1_500);

    expect([clock.now() - now, clock.wallNow() - wall]).toEqual([1_500, 1_500]);
  });

  it('begins at the moment that it is given, or in 2030', () => {
    const at = Date.parse('2026-02-28T23:59:59Z');

    expect(virtualClock().wallNow()).toBe(Date.parse('2030-01-01T00:00:00Z'));
    expect(virtualClock({ wallStart: at }).wallNow()).toBe(at);
    expect(virtualClock({ wallStart: new Date(at) }).wallNow()).toBe(at);
  });

  it.each([
    [5, 'expected an options object, got 5'],
    [null, 'expected an options object, got null'],
    [{ start: 5 }, "unknown option 'start'"],
    [{ wallStart: Number.NaN }, "option 'wallStart': expected a Date"],
    [{ wallStart: new Date('never') }, "option 'wallStart': expected a Date"],
  ])('says what it expects where it is given %j', (options, message) => {
    expect(() => virtualClock(options as never)).toThrow(`virtualClock(): ${message}`);
  });

  it('has no answers of the past', () => {
    for (const ms of [-1, Number.NaN, '5'])
      expect(() => after(ms as never, 1)).toThrow('after(): ms: expected a number of milliseconds from 0');
  });

  it('runs timers at their time in their order, with what they set going in between', async () => {
    const clock = virtualClock();
    const start = clock.now();
    const seen: string[] = [];
    const note = (what: string): void => void seen.push(`${clock.now() - start} ${what}`);
    clock.setTimeout(() => note('third'), 30);
    clock.setTimeout(() => {
      note('first');
      void Promise.resolve().then(() => note('its promise'));
      clock.setImmediate(() => note('its immediate'));
      clock.setTimeout(() => note('its timer'), 10);
    }, 10);
    clock.setTimeout(() => note('of the same moment'), 10);

    await clock.advance(29);
    expect([clock.pending, clock.nextTimerIn]).toEqual([1, 1]);
    await clock.advance(1);

    expect(seen).toEqual([
      '10 first',
      '10 its promise',
      '10 its immediate',
      '10 of the same moment',
      '20 its timer',
      '30 third',
    ]);
    expect([clock.pending, clock.nextTimerIn]).toEqual([0, undefined]);
  });

  it('runs immediates without time', async () => {
    const clock = virtualClock();
    const seen: number[] = [];
    clock.setImmediate(() => {
      seen.push(1);
      clock.setImmediate(() => seen.push(2));
    });

    await clock.advance(0);

    expect(seen).toEqual([1, 2]);
  });

  it('does not run what was cleared', async () => {
    const clock = virtualClock();
    const seen: string[] = [];
    const second = clock.setTimeout(() => seen.push('second'), 20);
    clock.setTimeout(() => clock.clearTimeout(second), 10);

    await clock.advance(100);

    expect(seen).toEqual([]);
  });

  it.each([-1, Number.NaN, Infinity, '5' as never])('does not move by %s', async (ms) => {
    const error = await errorOf(virtualClock().advance(ms));

    expect(error.message).toMatch(/^virtualClock\(\)\.advance: expected a number of milliseconds of at least 0, got /);
  });
});
