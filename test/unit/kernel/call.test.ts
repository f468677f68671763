import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { UnsubscribedError } from '../../../lib/kernel/call-info.js';
import { callOf } from '../../../lib/kernel/call.js';
import { limit, newCall } from '../../support/calls.js';
import { TestEnvironment } from '../../support/test-environment.js';

const environment = new TestEnvironment();
const { clock } = environment;

describe('Call', () => {
  it('is made when it is first asked for, once', () => {
    const attempt = newCall(environment);
    expect(attempt.call).toBeUndefined();

    const call = callOf(attempt);

    expect(callOf(attempt)).toBe(call);
    expect(callOf(call.nextAttempt())).toBe(call);
  });

  it('tells what is called, on what, with what, and the number of its newest attempt', () => {
    const instance = {};
    const context = {};
    const call = callOf(newCall(environment, { instance, args: [1, 2], context }));
    call.nextAttempt();

    expect(call).toMatchObject({ className: 'Client', methodName: 'load', args: [1, 2], attempt: 2, made: 2 });
    expect([call.instance, call.context]).toEqual([instance, context]);
  });

  it('knows how far a run has come that it shares, and is not cut with it', () => {
    const attempt = newCall(environment);
    const call = callOf(attempt);
    const run = callOf(newCall(environment));
    attempt.rarely().inside = run;
    expect([call.begun, call.attempt]).toEqual([false, 1]);
    run.current.begin();
    expect([call.begun, attempt.startedAt, call.attempt]).toEqual([true, undefined, 1]);
    run.nextAttempt();

    expect(call.attempt).toBe(2);
    run.abort('gone');
    expect([call.aborted, attempt.aborted]).toEqual([false, false]);
  });

  describe('its attempts', () => {
    it('are cut with it, with the same reason', () => {
      const call = callOf(newCall(environment));
      const attempt = call.nextAttempt();
      const { signal } = attempt;

      call.abort('gone');

      expect([attempt.reason, signal.reason, call.signal.reason]).toEqual(['gone', 'gone', 'gone']);
    });

    it('are cut alone, and it goes on', () => {
      const attempt = newCall(environment);
      const call = callOf(attempt);

      attempt.abort('too slow');
      const next = call.nextAttempt();

      expect([call.aborted, attempt.aborted, next.aborted]).toEqual([false, true, false]);
    });

    it('are cut from the start, when it was', () => {
      const call = callOf(newCall(environment));
      call.abort('gone');

      const attempt = call.nextAttempt();

      expect([attempt.aborted, attempt.reason]).toEqual([true, 'gone']);
    });

    it('have signals of their own', () => {
      const one = newCall(environment);
      const call = callOf(one);
      one.abort('too slow');
      const other = call.nextAttempt();

      expect([one.signal.aborted, other.signal.aborted, call.signal.aborted]).toEqual([true, false, false]);
    });

    it('stand where the first one stood', () => {
      const outer = newCall(environment);
      const first = newCall(environment, { outer });
      Object.assign(first.rarely(), { isPart: true, startedBy: outer });

      expect(callOf(first).nextAttempt()).toMatchObject({ around: outer, rare: { isPart: true, startedBy: outer } });
    });

    it('are bounded with it', () => {
      const first = newCall(environment);
      limit(first, clock.now() + 500);

      expect([first.deadline, callOf(first).nextAttempt().deadline]).toEqual([clock.now() + 500, clock.now() + 500]);
    });
  });

  describe('its total limit', () => {
    it('ends its attempts and the pauses between them, and leaves it whole', () => {
      const first = newCall(environment);
      const call = callOf(first);
      const told: unknown[] = [];
      call.onAbort((reason) => told.push(reason));
      const over = new Error('over');
      call.limit = { expired: () => over, end: () => undefined };

      call.expire();

      expect([first.reason, call.stopped, call.stopReason, told]).toEqual([over, true, over, [over]]);
      expect([call.aborted, call.signal.aborted]).toEqual([false, false]);
    });

    it('means nothing any more, when it was cut before', () => {
      const call = callOf(newCall(environment));
      let asked = 0;
      call.limit = { expired: () => new Error(String(asked++)), end: () => undefined };
      call.abort('gone');

      call.expire();

      expect([call.stopReason, asked]).toEqual(['gone', 0]);
    });
  });

  describe('follow', () => {
    it("lets the caller's signal cut it, with the signal's reason", () => {
      const controller = new AbortController();
      const attempt = newCall(environment, { signal: controller.signal });
      const call = callOf(attempt);
      expect(call.abortable).toBe(true);

      controller.abort('gone');

      expect([call.reason, attempt.reason]).toEqual(['gone', 'gone']);
    });

    it('is cut at once by a signal that was aborted before', () => {
      const call = callOf(newCall(environment, { signal: AbortSignal.abort('gone') }));

      expect([call.aborted, call.reason]).toEqual([true, 'gone']);
    });

    it('lets the guarded call around it cut it', () => {
      const outer = newCall(environment);
      const inner = callOf(newCall(environment, { outer }));

      outer.abort('too slow');

      expect([inner.aborted, inner.reason]).toEqual([true, 'too slow']);
    });

    it('is cut by its own signal alone: the call around it goes on', () => {
      const outer = newCall(environment);
      const controller = new AbortController();
      const inner = callOf(newCall(environment, { outer, signal: controller.signal }));

      controller.abort('gone');

      expect([inner.aborted, outer.aborted, callOf(outer).aborted]).toEqual([true, false, false]);
    });

    it('lets go of both: no listener is left on a long-lived signal, and nothing cuts it any more', () => {
      const controller = new AbortController();
      const outer = newCall(environment);
      const calls = Array.from({ length: 20 }, () =>
        callOf(newCall(environment, { signal: controller.signal, outer })),
      );
      expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1);

      for (const call of calls) call.letGo();
      expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
      controller.abort();
      outer.abort('gone');

      expect(calls.some(({ aborted }) => aborted)).toBe(false);
    });
  });

  describe('what stands in for it', () => {
    it('goes on although it was cut, unbounded, with the number of its newest attempt', () => {
      const first = newCall(environment);
      limit(first, clock.now() + 100);
      const call = callOf(first);
      call.nextAttempt();
      call.abort('gone');

      const substitute = call.substitute();

      expect([substitute.aborted, substitute.attempt, substitute.deadline]).toEqual([false, 2, Infinity]);
    });

    it.each(['before', 'after'])('is cut, when the consumer left %s it began', (when) => {
      const call = callOf(newCall(environment));
      const left = new UnsubscribedError();
      if (when === 'before') call.abort(left);
      const substitute = call.substitute();
      if (when === 'after') call.abort(left);

      expect([substitute.aborted, substitute.reason]).toEqual([true, left]);
    });

    it('is cut, when the consumer leaves after a cut by something else', () => {
      const call = callOf(newCall(environment));
      call.abort('gone');
      const substitute = call.substitute();
      const left = new UnsubscribedError();

      call.abort(left);

      expect([substitute.reason, call.reason]).toEqual([left, 'gone']);
    });
  });
});
