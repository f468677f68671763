import { describe, expect, it } from 'vitest';
import { TimeoutException } from '../../../lib/errors/timeout.exception.js';
import { Lifecycle } from '../../../lib/kernel/lifecycle.js';
import { Incoming, overFromOutside } from '../../../lib/pipeline/incoming-call.js';
import { enableCallContext, outerCall } from '../../../lib/pipeline/current-call.js';
import { limit, newCall } from '../../support/calls.js';
import { VirtualClock } from '../../support/virtual-clock.js';

function begin() {
  const clock = new VirtualClock();
  const call = new Incoming(clock, new Lifecycle()).begin();
  let reason: unknown;
  call.onAbort((cause) => (reason = cause));
  return { clock, call, reason: () => reason };
}

describe('what is called for a request', () => {
  it('has the time that it brings, from the moment at which it came', async () => {
    const { clock, call, reason } = begin();
    const came = clock.now();
    await clock.advance(60);

    call.limit(100, came);

    await clock.advance(39);
    expect(reason()).toBeUndefined();
    await clock.advance(1);
    expect(reason()).toBeInstanceOf(TimeoutException);
  });

  it('does not begin when its time was over before', async () => {
    const { clock, call, reason } = begin();
    const came = clock.now();
    await clock.advance(100);

    call.limit(100, came);

    expect(reason()).toBeInstanceOf(TimeoutException);
  });

  it('keeps its limit when nobody waits for it any more', async () => {
    const { clock, call, reason } = begin();
    call.limit(1_000);
    await clock.advance(500);

    call.desert();

    await clock.advance(499);
    expect(reason()).toBeUndefined();
    await clock.advance(1);
    expect(reason()).toBeInstanceOf(TimeoutException);
    expect(clock.pending).toBe(0);
  });

  it('is over at once when its caller leaves with hardly any time left', async () => {
    const { clock, call, reason } = begin();
    call.limit(1_000);
    await clock.advance(930);

    call.desert();

    expect(reason()).toBeInstanceOf(TimeoutException);
  });

  it('knows that its time is as good as over', async () => {
    enableCallContext();
    const { clock, call } = begin();
    call.limit(1_000);
    const attempt = call.run(() => outerCall());
    if (attempt === undefined) throw new Error('no running call');

    expect(overFromOutside(attempt)).toBeUndefined();
    await clock.advance(997);
    expect(overFromOutside(attempt)).toBeUndefined();
    await clock.advance(2);
    expect(overFromOutside(attempt)).toBeInstanceOf(TimeoutException);
    call.end();
    expect(overFromOutside(attempt)).toBeUndefined();
  });
});

describe('a request', () => {
  it('keeps no process alive by its limit, and leaves no timer when it is answered', async () => {
    const { clock, call, reason } = begin();
    call.limit(1_000);
    expect([clock.pending, clock.keepingAlive]).toEqual([1, 0]);

    call.end();
    await clock.advance(2_000);

    expect([clock.pending, reason()]).toEqual([0, undefined]);
  });

  it('wakes no sooner than its time is over, where that is between two milliseconds', () => {
    const { clock, call } = begin();
    call.limit(10.2);

    expect(clock.nextTimerIn).toBe(11);
  });

  it('cuts nothing any more when it is answered', () => {
    const { call, reason } = begin();
    call.end();
    call.end();

    call.abort(new Error('late'));

    expect(reason()).toBeUndefined();
  });

  it('tells once that it is over, also those who ask late', () => {
    const { call } = begin();
    let left = 0;
    call.whenOver(() => left++);
    expect(left).toBe(0);

    call.end();
    call.end();
    expect(left).toBe(1);
    call.whenOver(() => left++);

    expect(left).toBe(2);
  });

  it('that nobody waits for is over where nothing bounds it', () => {
    const { call, reason } = begin();
    let left = 0;
    call.whenOver(() => left++);

    call.desert();

    expect(left).toBe(1);
    call.abort(new Error('late'));
    expect(reason()).toBeUndefined();
  });

  it('that nobody waits for is left at once, and goes on for the time that it has', async () => {
    const { clock, call, reason } = begin();
    let left = 0;
    call.whenOver(() => left++);
    call.limit(1_000);
    await clock.advance(900);

    call.desert();
    expect([left, reason()]).toEqual([1, undefined]);
    await clock.advance(100);

    expect(reason()).toBeInstanceOf(TimeoutException);
  });

  it('is no longer heard by who has left', () => {
    const { call } = begin();
    let heard = 0;
    const listener = (): void => void heard++;
    call.onAbort(listener);
    call.offAbort(listener);

    call.abort(new Error('gone'));

    expect(heard).toBe(0);
  });

  it('says with what limit its time is over', async () => {
    const { clock, call, reason } = begin();
    call.limit(99.7);
    await clock.advance(100);

    expect(reason()).toMatchObject({
      policy: 'timeout',
      instanceName: 'request',
      details: { scope: 'incoming', limitMs: 99.7 },
      explanation: 'the time that the caller gave was over after 100 ms',
    });
  });

  it('says that the caller repeats, and what Nest knows of it', () => {
    enableCallContext();
    const context = {};
    const onStale = (): void => undefined;
    const call = new Incoming(new VirtualClock(), new Lifecycle()).begin(context, onStale);
    const attempt = call.run(() => outerCall());
    expect(attempt?.rare?.callerRetries).not.toBe(true);

    call.leaveRetriesToCaller();

    expect(attempt?.rare?.callerRetries).toBe(true);
    expect(attempt?.origin).toEqual({ context, onStale });
  });

  it('is as good as over less than 2 ms before its time, for calls inside it as well', async () => {
    enableCallContext();
    const { clock, call } = begin();
    call.limit(1_000);
    const outer = call.run(() => outerCall());
    const inner = newCall({ clock }, { outer });

    await clock.advance(998);
    expect(overFromOutside(inner)).toBeUndefined();
    clock.block(0.5);
    expect(overFromOutside(inner)).toMatchObject({ details: { limitMs: 1_000 } });

    expect(overFromOutside(newCall({ clock }))).toBeUndefined();
    const alone = newCall({ clock });
    limit(alone, clock.now());
    expect(overFromOutside(alone)).toBeUndefined();
  });
});
