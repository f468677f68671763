import { describe, expect, it } from 'vitest';
import type { Attempt } from '../../../lib/kernel/attempt.js';
import { callOf, type Call } from '../../../lib/kernel/call.js';
import { Guard } from '../../../lib/kernel/guard.js';
import { Pipeline } from '../../../lib/kernel/pipeline.js';
import { limit, newCall } from '../../support/calls.js';
import { TestEnvironment } from '../../support/test-environment.js';

const environment = new TestEnvironment();
const { clock } = environment;
/** A pipeline that others can be parts of. */
const inner = new Pipeline({ target: newCall(environment).course.target, work: () => Promise.resolve() });

describe('Attempt', () => {
  it('tells what is called, on what, with what', () => {
    const instance = {};
    const context = {};
    const repeatable = () => true;
    const attempt = newCall(environment, { instance, args: [1, 2], context, repeatable });

    for (const one of [attempt, callOf(attempt).nextAttempt(), inner.part(attempt, 3)]) {
      expect(one).toMatchObject({ className: 'Client', methodName: 'load', args: [1, 2] });
      expect([one.instance, one.context, one.origin?.repeatable]).toEqual([instance, context, repeatable]);
    }
  });

  it('is number 1, and its parts are what they are said to be', () => {
    const attempt = newCall(environment);

    expect([attempt.attempt, inner.part(attempt, 1).attempt, inner.part(attempt, 2).attempt]).toEqual([1, 1, 2]);
  });

  it('has the number of the newest attempt inside it, where it is made up of several', () => {
    const attempt = newCall(environment);
    attempt.rarely().inside = { attempt: 3, begun: true };

    expect(attempt.attempt).toBe(3);
  });

  it('knows what it is a part of: the whole of an attempt, and the guarded call that it runs in', () => {
    const outer = newCall(environment);
    const attempt = newCall(environment, { outer });
    const part = inner.part(attempt, 1);

    expect([part.around, attempt.around, outer.around]).toEqual([attempt, outer, undefined]);
    expect([part.rare?.isPart, attempt.rare?.isPart]).toEqual([true, false]);
    expect([part.outer, attempt.outer, outer.outer]).toEqual([attempt, outer, undefined]);
  });

  it('is cut from the start, as a part of one that was cut', () => {
    const whole = newCall(environment);
    whole.abort('gone');

    expect(inner.part(whole, 2)).toMatchObject({ aborted: true, reason: 'gone' });
  });

  describe('of a shared run', () => {
    it('is one of the same method, which nothing around its first caller cuts or bounds', () => {
      const outer = newCall(environment);
      limit(outer, clock.now() + 100);
      const signal = new AbortController().signal;
      const attempt = newCall(environment, { outer, args: [1], instance: outer, signal });
      limit(attempt, clock.now() + 50);
      const run = inner.separate(attempt);
      callOf(outer).abort('gone');
      outer.abort('gone');

      expect([callOf(attempt).aborted, run.aborted, run.deadline]).toEqual([true, false, Infinity]);
      expect([run.args, run.instance, run.around, run.rare?.isPart]).toEqual([attempt.args, outer, undefined, false]);
    });

    it('knows who has begun it, whose slots it may use', () => {
      const attempt = newCall(environment, { outer: newCall(environment) });

      expect(inner.separate(attempt).outer).toBe(attempt);
    });
  });

  describe('the deadline', () => {
    it('is none at first', () => {
      expect(newCall(environment).deadline).toBe(Infinity);
    });

    it('is the nearest of those around it', () => {
      const attempt = newCall(environment);
      const part = inner.part(attempt, 1);

      limit(attempt, clock.now() + 500);
      limit(part, clock.now() + 900);
      expect(part.deadline).toBe(clock.now() + 500);
      limit(part, clock.now() + 100);

      expect([attempt.deadline, part.deadline]).toEqual([clock.now() + 500, clock.now() + 100]);
    });

    it('is inherited from the guarded call around it', () => {
      const outer = newCall(environment);
      limit(outer, clock.now() + 300);

      const attempt = newCall(environment, { outer });

      expect(inner.part(attempt, 1).deadline).toBe(clock.now() + 300);
    });

    it('is no longer that of a call around it which is over', () => {
      const outer = newCall(environment);
      limit(outer, clock.now() + 300);
      const attempt = newCall(environment, { outer });

      outer.settle();

      expect(attempt.deadline).toBe(Infinity);
    });
  });

  describe('what happens to it', () => {
    it('is known around it: when the method began', () => {
      const whole = newCall(environment);
      const part = inner.part(whole, 1);
      part.rarely().hasWaited = true;
      expect([whole.startedAt, part.startedAt, callOf(whole).begun]).toEqual([undefined, undefined, false]);
      clock.block(50);

      part.begin();

      expect([whole.startedAt, part.startedAt]).toEqual([clock.now(), clock.now()]);
      expect(callOf(whole).begun).toBe(true);
    });

    it('is known around it: the first part began it', () => {
      const whole = newCall(environment);
      inner.part(whole, 1).begin();
      const first = clock.now();
      clock.block(50);
      const second = inner.part(whole, 2);

      second.begin();

      expect([whole.startedAt, second.startedAt]).toEqual([first, first + 50]);
    });

    it('reads no clock for its beginning, where it has not waited', () => {
      const attempt = newCall(environment);
      const came = clock.now();
      clock.block(50);

      attempt.begin();

      expect(attempt.startedAt).toBe(came);
    });

    it('is known around it: that a stream gave an item, the innermost limit first', () => {
      const told: string[] = [];
      const whole = newCall(environment);
      const inside = new Pipeline({
        target: whole.course.target,
        guards: [new ItemGuard(told, 'attempt')],
        work: () => Promise.resolve(),
      });
      const part = inside.part(whole, 1);
      callOf(whole).limit = { expired: () => new Error('over'), end: (_: Call) => void told.push('total') };

      part.course.item(part);

      expect([whole.rare?.emitted, part.rare?.emitted]).toEqual([true, true]);
      expect(told).toEqual(['attempt', 'total']);
    });

    it('pays the budget once: when the first attempt begins', () => {
      let earned = 0;
      const target = newCall(environment).course.target;
      const paying = new Pipeline({ target, work: () => Promise.resolve(), budget: { earn: () => void earned++ } });
      const attempt = newCall(environment);
      attempt.course = paying;

      attempt.begin();
      callOf(attempt).nextAttempt().begin();

      expect(earned).toBe(1);
    });
  });
});

class ItemGuard extends Guard {
  constructor(
    private readonly told: string[],
    private readonly name: string,
  ) {
    super();
  }

  admit(_: Attempt): undefined {
    // All may pass.
  }

  override item(): void {
    this.told.push(this.name);
  }
}
