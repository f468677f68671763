import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { AdaptiveLimit } from '../../../../lib/kernel/adaptive-limit/adaptive-limit.js';
import { adaptive } from '../../../../lib/kernel/adaptive-limit/adaptive.options.js';
import { StartRamp } from '../../../../lib/kernel/start-ramp.js';
import { Ingress } from '../../../../lib/policies/system-protection/ingress.js';
import type { ResolvedSystemProtection } from '../../../../lib/policies/system-protection/system-protection.options.js';
import { TestEnvironment } from '../../../support/test-environment.js';

const NOTHING: ResolvedSystemProtection = {
  concurrency: false,
  eventLoopDelay: false,
  rate: false,
  exemptPaths: [],
  exemptUnderPrefix: false,
  exempt: undefined,
  priority: undefined,
  retryAfter: 1_000,
};

function setUp(options: Partial<ResolvedSystemProtection>) {
  const environment = new TestEnvironment();
  const { clock } = environment;
  const loop = { delayMs: 0, read: () => loop.delayMs };
  const ingress = new Ingress({ ...NOTHING, ...options }, environment, loop);
  const enter = (priority = 0) => ingress.enter(clock.now(), priority);
  return { environment, clock, loop, ingress, enter };
}

describe('Ingress', () => {
  it('lets in what no limit is named for', () => {
    const { ingress, enter } = setUp({});

    for (let count = 0; count < 1_000; count++) expect(enter()).toBeUndefined();

    expect(ingress).toMatchObject({ active: 1_000, limit: Infinity, shed: 0 });
  });

  it('lets so many in at once, and the next when one has left', () => {
    const { environment, clock, ingress, enter } = setUp({ concurrency: 2 });
    expect([enter(), enter(), enter()]).toEqual([undefined, undefined, 'concurrency']);

    ingress.leave(clock.now(), true);

    expect([enter(), enter()]).toEqual([undefined, 'concurrency']);
    expect(ingress).toMatchObject({ active: 2, shed: 2 });
    expect(environment.of('shed')[0]).toMatchObject({
      name: 'ingress',
      policy: 'systemProtection',
      reason: 'concurrency',
      details: { active: 2, limit: 2, loopDelayMs: 0, priority: 0 },
    });
  });

  it('counts for each limit whom it has turned away', async () => {
    const { clock, loop, ingress, enter } = setUp({ concurrency: 6, eventLoopDelay: 50, rate: 100 });
    for (let count = 0; count < 7; count++) enter();
    expect(ingress.shedBy).toEqual({ concurrency: 1, eventLoopDelay: 0, rate: 0 });

    loop.delayMs = 60;
    for (let look = 0; look < 2; look++) {
      await clock.advance(200);
      enter();
    }
    expect(ingress.shedBy).toEqual({ concurrency: 2, eventLoopDelay: 1, rate: 0 });
    for (let count = 0; count < 3; count++) ingress.leaveUnmeasured();
    for (let count = 0; count < 200; count++) if (enter() === undefined) ingress.leaveUnmeasured();

    expect(ingress.shedBy).toEqual({ concurrency: 2, eventLoopDelay: 1, rate: 100 });
    expect(ingress.shed).toBe(103);
  });

  it('lets go on who has waited for its client, unless its place is taken by then', () => {
    const { clock, environment, ingress, enter } = setUp({ concurrency: 2, rate: 1_000 });
    enter();
    enter();
    ingress.leaveUnmeasured();
    expect(ingress.reenter(clock.now(), 0)).toBeUndefined();
    expect(ingress.active).toBe(2);
    ingress.leaveUnmeasured();
    enter();

    expect(ingress.reenter(clock.now(), 7)).toBe('concurrency');
    expect([ingress.active, ingress.shed]).toEqual([2, 1]);
    expect(environment.of('shed')).toMatchObject([{ reason: 'concurrency', details: { active: 2, priority: 7 } }]);
    ingress.resume(clock.now());
    expect(ingress.active).toBe(3);
  });

  it('does not charge who goes on a second time', () => {
    const { clock, ingress, enter } = setUp({ rate: 1 });
    expect(enter()).toBeUndefined();
    ingress.leaveUnmeasured();

    expect(ingress.reenter(clock.now(), 0)).toBeUndefined();
    expect(enter()).toBe('rate');
  });

  it('grows to its limit when the app starts', async () => {
    const environment = new TestEnvironment();
    const { clock } = environment;
    const startRamp = new StartRamp({ over: 1_000, from: 0.5 }, clock);
    const loop = { read: () => 0 };
    const inAll = Object.assign(environment, { startRamp });
    const ingress = new Ingress({ ...NOTHING, concurrency: 8 }, inAll, loop);
    expect(ingress.limit).toBe(4);

    startRamp.begin();
    await clock.advance(500);
    expect(ingress.limit).toBe(6);
    await clock.advance(500);

    expect(ingress.limit).toBe(8);
    const following = new Ingress({ ...NOTHING, concurrency: adaptive({ initial: 20 }) }, inAll, loop);
    expect(following.limit).toBe(20);
  });

  it('always lets one in, however small the share of the least important', () => {
    const { ingress, enter } = setUp({ concurrency: 1, priority: () => 0 });
    expect(enter(1)).toBeUndefined();
    ingress.leaveUnmeasured();

    expect(enter(0)).toBeUndefined();
    expect(enter(1)).toBe('concurrency');
  });

  it('keeps a part of the rate from the least important', () => {
    const { ingress, enter } = setUp({ rate: 9, priority: () => 0 });
    const burst = (priority: number): number => {
      let count = 0;
      while (enter(priority) === undefined) count++;
      return count;
    };
    enter(1);

    expect([burst(0), burst(1)]).toEqual([6, 2]);
    expect(ingress.shedBy).toMatchObject({ rate: 2 });
  });

  it('builds no event that nobody hears', () => {
    const environment = new TestEnvironment(false);
    const emitted = vi.spyOn(environment.events, 'emitChange');
    const ingress = new Ingress({ ...NOTHING, concurrency: 1 }, environment, { read: () => 0 });

    expect([ingress.enter(0, 0), ingress.enter(0, 0)]).toEqual([undefined, 'concurrency']);
    expect(emitted).not.toHaveBeenCalled();
  });

  it('keeps a quarter of the limit from the least important, as long as others come', async () => {
    const { clock, ingress, enter } = setUp({ concurrency: 8, priority: () => 0 });
    const fill = (priority: number): number => {
      let count = 0;
      while (enter(priority) === undefined) count++;
      return count;
    };
    expect(enter(2)).toBeUndefined();
    expect(enter(1)).toBeUndefined();

    expect([fill(0), fill(1), fill(2)]).toEqual([4, 1, 1]);

    for (let count = 0; count < 8; count++) ingress.leave(clock.now(), true);
    await clock.advance(11_000);
    expect(fill(0)).toBe(8);
  });

  it('lets so many in each second, after a quiet one as many at once', async () => {
    const { clock, enter } = setUp({ rate: 10 });
    const burst = () => Array.from({ length: 30 }, () => enter()).filter((met) => met === undefined).length;

    expect(burst()).toBe(10);
    await clock.advance(300);
    expect(burst()).toBe(3);
    await clock.advance(60_000);
    expect(burst()).toBe(10);
  });

  it('never lets more in than the rate times the time, and one second of it', async () => {
    const { clock, enter } = setUp({ rate: 7 });
    let admitted = 0;
    for (let step = 0; step < 500; step++) {
      await clock.advance(step % 40);
      while (enter() === undefined) admitted++;
      expect(admitted).toBeLessThanOrEqual(7 * ((clock.now() - 1_000_000) / 1_000) + 7);
    }
    expect(admitted).toBeGreaterThan(60);
  });

  describe('when the loop is held up', () => {
    it('sheds what finds an old turn, once turns have been too long for a while', async () => {
      const { clock, ingress, enter } = setUp({ eventLoopDelay: 40 });
      /** One turn with ten requests of 10 ms each, that end at once. */
      const turn = async (): Promise<number> => {
        let admitted = 0;
        for (let request = 0; request < 10; request++) {
          const at = clock.now();
          if (enter() !== undefined) continue;
          admitted++;
          clock.block(10);
          ingress.leave(at, true);
        }
        await clock.poll();
        return admitted;
      };

      const turns = [await turn(), await turn(), await turn(), await turn()];
      await clock.advance(1_000);
      const later = await turn();

      expect(turns).toEqual([10, 2, 2, 2]);
      expect(later).toBe(10);
    });

    it('sheds the least important in a turn that is not yet too old for the others', async () => {
      const { clock, enter } = setUp({ eventLoopDelay: 40, priority: () => 0 });
      enter(0);
      for (let count = 0; count < 6; count++) {
        enter(1);
        clock.block(20);
        await clock.poll();
      }

      expect(enter(0)).toBeUndefined();
      clock.block(14);
      expect(enter(0)).toBeUndefined();
      clock.block(1);
      expect([enter(0), enter(1)]).toEqual(['eventLoopDelay', undefined]);
      clock.block(4);
      expect(enter(1)).toBeUndefined();
      clock.block(1);

      expect(enter(1)).toBe('eventLoopDelay');
    });

    it('minds no single long turn', async () => {
      const { clock, enter } = setUp({ eventLoopDelay: 40 });
      enter();
      clock.block(500);

      expect([enter(), enter()]).toEqual([undefined, undefined]);
      await clock.poll();
      expect(enter()).toBeUndefined();
    });

    it('lets ever fewer in at once while timers are late, one at least, and all again afterwards', async () => {
      const { clock, loop, ingress, enter } = setUp({ eventLoopDelay: 50 });
      const fill = (): number => {
        while (ingress.active < 100 && enter() === undefined);
        return ingress.active;
      };
      const empty = (): void => {
        while (ingress.active > 0) ingress.leave(clock.now(), true);
      };
      const next = async (): Promise<number> => {
        await clock.advance(250);
        enter();
        empty();
        return fill();
      };
      expect(fill()).toBe(100);

      loop.delayMs = 80;
      const once = await next();
      const held = [await next(), await next(), await next()];
      expect(once).toBe(100);
      expect(ingress.loopDelayMs).toBe(80);
      for (let count = 0; count < 20; count++) await next();
      const most = await next();
      loop.delayMs = 5;
      for (let count = 0; count < 60; count++) await next();

      expect(held[0]).toBeLessThanOrEqual(71);
      expect(held[2]).toBeLessThan(held[0] as number);
      expect(most).toBeLessThanOrEqual(2);
      expect(await next()).toBe(100);
    });

    it('minds no single look at late timers', async () => {
      const { clock, loop, ingress, enter } = setUp({ eventLoopDelay: 50 });
      for (let count = 0; count < 30; count++) {
        for (let request = 0; request < 12; request++) expect(enter()).toBeUndefined();
        loop.delayMs = count % 2 === 0 ? 300 : 5;
        await clock.advance(210);
        while (ingress.active > 0) ingress.leave(clock.now(), true);
      }
    });

    it('does not lay late timers to so few requests', async () => {
      const { clock, loop, ingress, enter } = setUp({ eventLoopDelay: 50 });
      loop.delayMs = 300;
      for (let count = 0; count < 10; count++) {
        for (let request = 0; request < 3; request++) expect(enter()).toBeUndefined();
        await clock.advance(210);
        while (ingress.active > 0) ingress.leave(clock.now(), true);
      }
    });

    it('still lets one in, however late timers are', async () => {
      const { clock, loop, ingress, enter } = setUp({ eventLoopDelay: 50 });
      loop.delayMs = 10_000;

      for (let count = 0; count < 50; count++) {
        await clock.advance(250);
        expect(enter()).toBeUndefined();
        ingress.leave(clock.now(), true);
      }
    });
  });

  describe('with an adaptive limit', () => {
    /** Full house for `ms`: each request takes what `latencyOf` says, 5 ms apart. */
    async function work(scene: ReturnType<typeof setUp>, ms: number, latencyOf: (inFlight: number) => number) {
      const { clock, ingress, enter } = scene;
      const end = clock.now() + ms;
      while (clock.now() < end) {
        for (let count = 0; count < 3; count++) {
          if (enter() !== undefined) break;
          const at = clock.now();
          clock.setTimeout(() => ingress.leave(at, true), latencyOf(ingress.active));
        }
        await clock.advance(5);
      }
    }

    it('follows the latency of what it lets in', async () => {
      const scene = setUp({ concurrency: adaptive({ initial: 20 }) });

      await work(scene, 8_000, (inFlight) => 40 * Math.max(1, inFlight / 10));

      expect(scene.ingress.limit).toBeLessThan(18);
      expect(scene.environment.of('limitChange')[0]).toMatchObject({ name: 'ingress', policy: 'systemProtection' });
    });

    it('does not take the delay of the own loop for a slow service', async () => {
      const scene = setUp({ concurrency: adaptive({ initial: 16, max: 16 }) });
      await work(scene, 4_000, () => 60);

      scene.loop.delayMs = 60;
      await work(scene, 4_000, () => 120);

      expect(scene.ingress.limit).toBe(16);
    });

    it('is told of the time that is not the delay of the own loop, and how the request ended', async () => {
      const ended = vi.spyOn(AdaptiveLimit.prototype, 'ended').mockReturnValue();
      const began = vi.spyOn(AdaptiveLimit.prototype, 'began').mockReturnValue();
      const wanted = vi.spyOn(AdaptiveLimit.prototype, 'wanted').mockReturnValue();
      onTestFinished(() => [ended, began, wanted].forEach((spy) => spy.mockRestore()));
      const { clock, loop, ingress, enter } = setUp({ concurrency: adaptive({ initial: 4 }), eventLoopDelay: 50 });
      const start = clock.now();
      loop.delayMs = 30;
      await clock.advance(200);
      for (let count = 0; count < 4; count++) enter();
      expect(began.mock.calls).toEqual([1, 2, 3, 4].map((inFlight) => [start + 200, inFlight]));
      expect(wanted).not.toHaveBeenCalled();
      expect(enter()).toBe('concurrency');
      expect(wanted).toHaveBeenCalledTimes(1);

      await clock.advance(100);
      ingress.leave(start + 200, true);
      ingress.leave(start + 200, false);
      ingress.leave(start + 290, true);
      ingress.leaveUnmeasured();

      expect(ended.mock.calls).toEqual([
        [start + 300, 70, 4, 'done'],
        [start + 300, 70, 3, 'failed'],
        [start + 300, 0, 2, 'done'],
      ]);
      expect(ingress.active).toBe(0);
    });

    it('learns nothing from answers that failed fast', async () => {
      const scene = setUp({ concurrency: adaptive({ initial: 8, max: 8 }) });
      const { clock, ingress, enter } = scene;
      await work(scene, 3_000, () => 50);
      const before = ingress.limit;

      for (let count = 0; count < 500; count++) {
        enter();
        await clock.advance(5);
        if (ingress.active > 0) ingress.leave(clock.now() - 5, false);
      }
      await work(scene, 400, () => 50);

      expect(ingress.limit).toBe(before);
    });
  });
});
