import { getEventListeners } from 'node:events';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { newCall } from '../../support/calls.js';
import { countControllers } from '../../support/count-controllers.js';
import { TestEnvironment } from '../../support/test-environment.js';

const environment = new TestEnvironment();
const { clock } = environment;

afterEach(() => vi.unstubAllGlobals());

describe('PipelineCall', () => {
  it('tells what is called, on what, with what', () => {
    const instance = {};
    const context = {};
    const repeatable = () => true;
    const call = newCall(environment, { instance, args: [1, 2], context, repeatable });

    for (const one of [call, call.fork(3)]) {
      expect(one).toMatchObject({ className: 'Client', methodName: 'load', args: [1, 2] });
      expect([one.instance, one.context, one.repeatable]).toEqual([instance, context, repeatable]);
    }
  });

  it('is attempt 1, and its forks are what they are said to be', () => {
    const call = newCall(environment);

    expect([call.attempt, call.fork(1).attempt, call.fork(2).attempt]).toEqual([1, 1, 2]);
  });

  describe('a shared run', () => {
    it('is a call of the same method, which nothing around its first caller cuts or bounds', () => {
      const outer = newCall(environment);
      outer.limit(clock.now() + 100);
      const call = newCall(environment, { outer, args: [1], instance: outer, signal: new AbortController().signal });
      call.attach();
      call.limit(clock.now() + 50);
      const run = call.separate();
      outer.abort('gone');

      expect([call.aborted, run.aborted, run.deadline]).toEqual([true, false, Infinity]);
      expect([run.args, run.instance, run.around]).toEqual([call.args, outer, undefined]);
    });

    it('tells those who follow it how far it has come', () => {
      const call = newCall(environment);
      const run = call.separate();
      call.follow(run);
      expect([call.begun, call.attempt]).toEqual([false, 1]);
      run.fork(1).begin();
      expect([call.begun, call.startedAt, call.attempt]).toEqual([true, undefined, 1]);
      run.fork(2);

      expect(call.attempt).toBe(2);
      run.abort('gone');
      expect(call.aborted).toBe(false);
    });
  });

  it('knows what it is a part of: the whole of an attempt, and the guarded call that it runs in', () => {
    const outer = newCall(environment);
    const call = newCall(environment, { outer });

    expect([call.fork(1).around, call.around, outer.around]).toEqual([call, outer, undefined]);
  });

  describe('its signal', () => {
    it('is made when it is asked for, once', () => {
      const made = countControllers();
      const call = newCall(environment);
      call.fork(1).abort('gone');
      call.abort('gone');
      expect(made()).toBe(0);

      const { signal } = newCall(environment).fork(1);

      expect(signal).toBeInstanceOf(AbortSignal);
      expect(made()).toBe(1);
    });

    it('is the same at each reading, and aborts with the reason', () => {
      const call = newCall(environment);
      const { signal } = call;

      call.abort('gone');

      expect(call.signal).toBe(signal);
      expect([signal.aborted, signal.reason]).toEqual([true, 'gone']);
    });

    it('is aborted from the start, when it is asked for too late', () => {
      const call = newCall(environment);
      call.abort('gone');

      expect(call.signal.aborted).toBe(true);
      expect(call.signal.reason).toBe('gone');
    });
  });

  describe('abort', () => {
    it('counts once, with the first reason', () => {
      const call = newCall(environment);
      const reasons: unknown[] = [];
      call.onAbort((reason) => reasons.push(reason));

      call.abort('first');
      call.abort('second');

      expect([call.aborted, call.reason, reasons]).toEqual([true, 'first', ['first']]);
    });

    it('takes any reason, undefined too', () => {
      const call = newCall(environment);

      call.abort(undefined);

      expect(call.aborted).toBe(true);
    });

    it('tells every listener, in order', () => {
      const call = newCall(environment);
      const told: string[] = [];
      for (const name of ['a', 'b', 'c']) call.onAbort((reason) => told.push(`${name} ${String(reason)}`));

      call.abort('gone');

      expect(told).toEqual(['a gone', 'b gone', 'c gone']);
    });

    it('tells a listener at once that comes too late', () => {
      const call = newCall(environment);
      call.abort('gone');
      const told: unknown[] = [];

      call.onAbort((reason) => told.push(reason));

      expect(told).toEqual(['gone']);
    });

    it('tells nobody who has left, wherever he stood', () => {
      const call = newCall(environment);
      const told: string[] = [];
      const listeners = ['a', 'b', 'c', 'd'].map((name) => () => void told.push(name));
      for (const listener of listeners) call.onAbort(listener);

      call.offAbort(listeners[0] as () => void);
      call.offAbort(listeners[2] as () => void);
      call.offAbort(() => {});
      call.onAbort(() => told.push('e'));
      call.abort('gone');

      expect(told.sort()).toEqual(['b', 'd', 'e']);
    });
  });

  describe('fork', () => {
    it('is cut with its parent, with the same reason, at every depth', () => {
      const call = newCall(environment);
      const attempt = call.fork(1);
      const inner = attempt.fork(1);
      const { signal } = inner;

      call.abort('gone');

      expect([attempt.reason, inner.reason, signal.reason]).toEqual(['gone', 'gone', 'gone']);
    });

    it('is cut alone, and its parent goes on', () => {
      const call = newCall(environment);
      const attempt = call.fork(1);

      attempt.abort('too slow');
      const next = call.fork(2);

      expect([call.aborted, attempt.aborted, next.aborted]).toEqual([false, true, false]);
    });

    it('is cut from the start, when its parent was', () => {
      const call = newCall(environment);
      call.abort('gone');

      const attempt = call.fork(1);

      expect([attempt.aborted, attempt.reason]).toEqual([true, 'gone']);
    });

    it('has a signal of its own', () => {
      const call = newCall(environment);
      const [one, other] = [call.fork(1), call.fork(2)];

      one.abort('too slow');

      expect([one.signal.aborted, other.signal.aborted, call.signal.aborted]).toEqual([true, false, false]);
    });
  });

  describe('the deadline', () => {
    it('is none at first', () => {
      const call = newCall(environment);

      expect(call.deadline).toBe(Infinity);
    });

    it('is the nearest of those around it', () => {
      const call = newCall(environment);
      const attempt = call.fork(1);

      call.limit(clock.now() + 500);
      attempt.limit(clock.now() + 900);
      expect(attempt.deadline).toBe(clock.now() + 500);
      attempt.limit(clock.now() + 100);

      expect([call.deadline, attempt.deadline]).toEqual([clock.now() + 500, clock.now() + 100]);
    });

    it('is inherited from the guarded call around it', () => {
      const outer = newCall(environment);
      outer.limit(clock.now() + 300);

      const inner = newCall(environment, { outer });
      inner.attach();

      expect(inner.fork(1).deadline).toBe(clock.now() + 300);
    });
  });

  describe('what happens to an attempt', () => {
    it('is known around it: when the method began', () => {
      const call = newCall(environment);
      const attempt = call.fork(1);
      expect([call.startedAt, attempt.startedAt]).toEqual([undefined, undefined]);
      clock.block(50);

      attempt.begin();

      expect([call.startedAt, attempt.startedAt]).toEqual([clock.now(), clock.now()]);
    });

    it('is known around it: the first attempt began it', () => {
      const call = newCall(environment);
      call.fork(1).begin();
      const first = clock.now();
      clock.block(50);
      const second = call.fork(2);

      second.begin();

      expect([call.startedAt, second.startedAt]).toEqual([first, first + 50]);
    });

    it('is known around it: that a stream gave an item', () => {
      const call = newCall(environment);
      const attempt = call.fork(1);
      const pauses: string[] = [];
      call.itemTimer = { pause: () => pauses.push('total'), resume: () => {} };
      attempt.itemTimer = { pause: () => pauses.push('attempt'), resume: () => {} };

      attempt.emit();

      expect([call.emitted, attempt.emitted]).toEqual([true, true]);
      expect(pauses).toEqual(['attempt', 'total']);
    });
  });

  describe('attach', () => {
    it('has nothing to let go of, without a signal and an outer call', () => {
      expect(newCall(environment).attach()).toBeUndefined();
    });

    it("lets the caller's signal cut it, with the signal's reason", () => {
      const controller = new AbortController();
      const call = newCall(environment, { signal: controller.signal });
      call.attach();
      const attempt = call.fork(1);
      expect(call.abortable).toBe(true);

      controller.abort('gone');

      expect([call.reason, attempt.reason]).toEqual(['gone', 'gone']);
    });

    it('is cut at once by a signal that was aborted before', () => {
      const call = newCall(environment, { signal: AbortSignal.abort('gone') });

      call.attach();

      expect([call.aborted, call.reason]).toEqual([true, 'gone']);
    });

    it('lets the guarded call around it cut it', () => {
      const outer = newCall(environment);
      const inner = newCall(environment, { outer });
      inner.attach();

      outer.abort('too slow');

      expect([inner.aborted, inner.reason]).toEqual([true, 'too slow']);
    });

    it('is cut by its own signal alone: the call around it goes on', () => {
      const outer = newCall(environment);
      const controller = new AbortController();
      const inner = newCall(environment, { outer, signal: controller.signal });
      inner.attach();

      controller.abort('gone');

      expect([inner.aborted, outer.aborted]).toEqual([true, false]);
    });

    it('lets go of both: no listener is left on a long-lived signal, and nothing cuts it any more', () => {
      const controller = new AbortController();
      const outer = newCall(environment);
      const calls = Array.from({ length: 20 }, () => newCall(environment, { signal: controller.signal, outer }));
      const detach = calls.map((call) => call.attach());
      expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1);

      for (const letGo of detach) letGo?.();
      expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
      controller.abort();
      outer.abort('gone');

      expect(calls.some(({ aborted }) => aborted)).toBe(false);
    });
  });
});
