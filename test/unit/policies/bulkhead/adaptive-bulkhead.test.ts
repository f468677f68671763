import { NotFoundException } from '@nestjs/common';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { TimeoutException } from '../../../../lib/errors/timeout.exception.js';
import { AdaptiveLimit } from '../../../../lib/kernel/adaptive-limit/adaptive-limit.js';
import { adaptive } from '../../../../lib/kernel/adaptive-limit/adaptive.options.js';
import { BULKHEAD_DEFAULTS, type BulkheadOptions } from '../../../../lib/policies/bulkhead/bulkhead.options.js';
import { BulkheadGuard } from '../../../../lib/policies/bulkhead/bulkhead.guard.js';
import { attemptTimeout } from '../../../../lib/policies/timeout/attempt-timeout.guard.js';
import { execute, guarded, ManualWork, method, newCall } from '../../../support/calls.js';
import { settle, track } from '../../../support/settle.js';
import { TestEnvironment } from '../../../support/test-environment.js';
import { AdaptiveBulkheadScene } from './adaptive-bulkhead.scene.js';

describe('a bulkhead with an adaptive limit', () => {
  it('grows to what it guards can do, and tells its moves', async () => {
    const scene = new AdaptiveBulkheadScene({ initial: 8 });

    await scene.drive(20, 3_000, scene.service(1_000));

    expect(scene.bulkhead.limit).toBeGreaterThan(10);
    const [first] = scene.environment.of('limitChange');
    expect(first).toMatchObject({ name: 'payments', policy: 'bulkhead', before: 8 });
  });

  it('admits who waits when the limit grows and no slot comes free', async () => {
    const environment = new TestEnvironment();
    const { clock } = environment;
    const all = { ...BULKHEAD_DEFAULTS, maxConcurrent: adaptive({ initial: 40, min: 40 }), maxQueue: 10 };
    const bulkhead = new BulkheadGuard('payments', all, environment);
    const make = (count: number, body: () => Promise<unknown>) =>
      Array.from({ length: count }, () => track(execute(bulkhead, newCall(environment), method(body))));
    const never = () => new Promise<never>(() => undefined);
    // The first 40 fill it up, the next are samples of a window.
    for (let turn = 0; turn < 3; turn++) {
      make(40, () => new Promise<void>((resolve) => clock.setTimeout(resolve, 150)));
      await clock.advance(150);
    }

    make(39, never);
    // Its time limit is over at the end of a window, and it keeps its slot.
    const timeout = attemptTimeout('payments', 200, environment);
    const policies = { 'timeout.perAttempt': timeout, bulkhead };
    track(guarded(policies, method(never), { endsEarly: true })(newCall(environment)));
    const waiting = make(5, async () => 'done');
    await clock.advance(100);
    expect([bulkhead.limit, bulkhead.waiting]).toEqual([40, 5]);
    await clock.advance(100);
    await settle();

    expect([bulkhead.limit, bulkhead.active, bulkhead.waiting]).toEqual([60, 40, 0]);
    expect(waiting.map(({ outcome }) => outcome)).toEqual(waiting.map(() => 'done'));
  });

  describe('is told how long a run took, and how it ended', () => {
    /** An attempt at work for 100 ms, and what the limit has been told since. */
    async function atWork(options: Partial<BulkheadOptions> = {}) {
      const environment = new TestEnvironment();
      const told: unknown[][] = [];
      const ended = vi.spyOn(AdaptiveLimit.prototype, 'ended').mockImplementation((_, ...what) => void told.push(what));
      onTestFinished(() => ended.mockRestore());
      const all = { ...BULKHEAD_DEFAULTS, maxConcurrent: adaptive({ initial: 8 }), ...options };
      const bulkhead = new BulkheadGuard('payments', all, environment);
      const work = new ManualWork();
      const call = newCall(environment, { outer: newCall(environment) });
      const run = guarded({ bulkhead }, work.run, { endsEarly: true });
      const result = track(run(call));
      await environment.clock.advance(100);
      return { ...environment, environment, told, bulkhead, work, call, result };
    }
    const timedOut = (scope: string): TimeoutException =>
      new TimeoutException({ policy: 'timeout', instanceName: 'payments', message: 'late', details: { scope } });

    it('done, or failed', async () => {
      for (const ending of ['done', 'failed'] as const) {
        const { told, work } = await atWork();
        if (ending === 'done') work.succeed(0);
        else work.fail(0);
        await settle();

        expect(told).toEqual([[100, 1, ending]]);
      }
    });

    it('done, where the answer is a no', async () => {
      const { told, work } = await atWork();
      work.fail(0, new NotFoundException());
      await settle();

      expect(told).toEqual([[100, 1, 'done']]);
    });

    it.each([
      ['perAttempt', 'cut'],
      ['total', 'failed'],
    ])('when the limit %s cuts it: %s, and not again when its work ends', async (scope, ending) => {
      const { told, work, call, clock } = await atWork();
      call.abort(timedOut(scope));
      await settle();
      expect(told).toEqual([[100, 1, ending]]);
      await clock.advance(50);
      work.succeed(0);
      await settle();

      expect(told).toHaveLength(1);
    });

    it('when its work ends, where its caller has left before', async () => {
      const { told, work, call, clock } = await atWork();
      call.abort('gone');
      await clock.advance(50);
      expect(told).toEqual([]);
      work.succeed(0);
      await settle();

      expect(told).toEqual([[150, 1, 'done']]);
    });

    it('failed, where its work goes on for too long without its caller', async () => {
      const { told, call, clock, bulkhead, work } = await atWork({ abandonAfter: 500 });
      call.abort('gone');
      await clock.advance(500);
      expect(told).toEqual([[600, 1, 'failed']]);
      expect([bulkhead.active, bulkhead.abandonedNow]).toEqual([0, 1]);
      work.succeed(0);
      await settle();

      expect(told).toHaveLength(1);
      expect(bulkhead.abandonedNow).toBe(0);
    });

    it('without that of an inner call, which runs on the slot of the outer one', async () => {
      const { told, bulkhead, environment, call, clock } = await atWork();
      const inner = new ManualWork();
      track(execute(bulkhead, newCall(environment, { outer: call }), inner.run));
      await clock.advance(10);
      inner.succeed(0);
      await settle();

      expect(inner.begun).toBe(1);
      expect(told).toEqual([]);
    });

    it('by no bulkhead of a fixed limit', async () => {
      const { told, work, bulkhead } = await atWork({ maxConcurrent: 3 });
      work.succeed(0);
      await settle();

      expect([told, bulkhead.measures]).toEqual([[], false]);
    });
  });

  it('gives the numbers in force when it refuses', async () => {
    const { environment, bulkhead } = new AdaptiveBulkheadScene({ initial: 2, min: 2 });
    const work = new ManualWork();

    const results = [1, 2, 3].map(() => track(execute(bulkhead, newCall(environment), work.run)));
    await settle();

    expect(results[2]?.outcome).toMatchObject({ details: { active: 2, maxConcurrent: 2, waiting: 0, maxQueue: 0 } });
  });
});
