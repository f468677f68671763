import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Attempt } from '../../../lib/kernel/attempt.js';
import { callOf } from '../../../lib/kernel/call.js';
import { Lifecycle } from '../../../lib/kernel/policy.js';
import { newCall } from '../../support/calls.js';
import { countControllers } from '../../support/count-controllers.js';
import { TestEnvironment } from '../../support/test-environment.js';

const { clock } = new TestEnvironment();
const newAttempt = (lifecycle = new Lifecycle()) => newCall({ clock, lifecycle });

afterEach(() => vi.unstubAllGlobals());

describe.each([
  ['an attempt', () => newAttempt()],
  ['a call', () => callOf(newAttempt())],
])('those who hear of the cut of %s', (_, make) => {
  describe('by its signal', () => {
    it('is made when it is asked for, once', () => {
      const made = countControllers();
      const piece = make();
      piece.onAbort(() => undefined);
      make().abort('gone');
      expect(made()).toBe(0);

      const { signal } = piece;

      expect(signal).toBeInstanceOf(AbortSignal);
      expect(piece.signal).toBe(signal);
      expect(made()).toBe(1);
    });

    it('is the same at each reading, and aborts with the reason', () => {
      const piece = make();
      const { signal } = piece;

      piece.abort('gone');

      expect(piece.signal).toBe(signal);
      expect([signal.aborted, signal.reason]).toEqual([true, 'gone']);
    });

    it('is aborted from the start, when it is asked for too late', () => {
      const piece = make();
      piece.abort('gone');

      expect(piece.signal.aborted).toBe(true);
      expect(piece.signal.reason).toBe('gone');
    });
  });

  describe('abort', () => {
    it('counts once, with the first reason', () => {
      const piece = make();
      const reasons: unknown[] = [];
      piece.onAbort((reason) => reasons.push(reason));

      piece.abort('first');
      piece.abort('second');

      expect([piece.aborted, piece.reason, reasons]).toEqual([true, 'first', ['first']]);
    });

    it('takes any reason, undefined too', () => {
      const piece = make();

      piece.abort(undefined);

      expect(piece.aborted).toBe(true);
    });

    it('tells every listener, in order', () => {
      const piece = make();
      const told: string[] = [];
      for (const name of ['a', 'b', 'c']) piece.onAbort((reason) => told.push(`${name} ${String(reason)}`));

      piece.abort('gone');

      expect(told).toEqual(['a gone', 'b gone', 'c gone']);
    });

    it('tells a listener at once that comes too late', () => {
      const piece = make();
      piece.abort('gone');
      const told: unknown[] = [];

      piece.onAbort((reason) => told.push(reason));

      expect(told).toEqual(['gone']);
    });

    it('tells nobody who has left, wherever he stood', () => {
      const piece = make();
      const told: string[] = [];
      const listeners = ['a', 'b', 'c', 'd'].map((name) => () => void told.push(name));
      for (const listener of listeners) piece.onAbort(listener);

      piece.offAbort(listeners[0] as () => void);
      piece.offAbort(listeners[2] as () => void);
      piece.offAbort(() => {});
      piece.onAbort(() => told.push('e'));
      piece.abort('gone');

      expect(told.sort()).toEqual(['b', 'd', 'e']);
    });
  });
});

describe('the end of a shutdown', () => {
  const shutDown = expect.objectContaining({ code: 'SHUTDOWN', policy: 'shutdown', instanceName: 'Client.load' });

  it.each([
    ['before its method began', (attempt: Attempt) => [attempt.signal, attempt.begin(), attempt.goOn()]],
    ['in its method', (attempt: Attempt) => [attempt.begin(), attempt.signal, attempt.goOn()]],
    ['while its work goes on', (attempt: Attempt) => [attempt.begin(), attempt.goOn(), attempt.signal]],
  ])('cuts what somebody holds the signal of, asked for %s', (_, begin) => {
    const lifecycle = new Lifecycle();
    const attempt = newAttempt(lifecycle);
    begin(attempt);

    lifecycle.dispose();

    expect(attempt.signal.reason).toEqual(shutDown);
  });

  it('leaves alone what nobody could tell of: without a signal, or no longer at work', () => {
    const lifecycle = new Lifecycle();
    const [unheard, over] = [newAttempt(lifecycle), newAttempt(lifecycle)];
    unheard.begin();
    unheard.goOn();
    expect(over.signal.aborted).toBe(false);
    over.begin();
    over.goOn();
    over.rest();

    lifecycle.dispose();

    expect([unheard.aborted, over.aborted]).toEqual([false, false]);
  });

  it('cuts what stands in for a call, as long as it goes on', async () => {
    const lifecycle = new Lifecycle();
    const [running, over] = [callOf(newAttempt(lifecycle)), callOf(newAttempt(lifecycle))];
    for (const call of [running, over]) expect(call.signal.aborted).toBe(false);
    void running.runs(new Promise(() => undefined));
    await over.runs(Promise.resolve());

    lifecycle.dispose();

    expect(running.signal.reason).toEqual(shutDown);
    expect(over.aborted).toBe(false);
  });
});
