import { describe, expect, it } from 'vitest';
import { adaptive } from '../../../../lib/kernel/adaptive-limit/adaptive.options.js';
import { BULKHEAD_DEFAULTS, type BulkheadOptions } from '../../../../lib/policies/bulkhead/bulkhead.options.js';
import { BulkheadGuard } from '../../../../lib/policies/bulkhead/bulkhead.guard.js';
import type { CallInfo } from '../../../../lib/kernel/call-info.js';
import { execute, ManualWork, newCall } from '../../../support/calls.js';
import { settle, track, type Tracked } from '../../../support/settle.js';
import { TestEnvironment } from '../../../support/test-environment.js';

function setUp(options: BulkheadOptions) {
  const environment = new TestEnvironment();
  const bulkhead = new BulkheadGuard('payments', { ...BULKHEAD_DEFAULTS, ...options }, environment);
  const work = new ManualWork();
  const call = (...args: unknown[]): Promise<unknown> => execute(bulkhead, newCall(environment, { args }), work.run);
  return { environment, bulkhead, work, call };
}

const priority = ({ args }: CallInfo): number => args[0] as number;

describe('a bulkhead with a slot that has just come free', () => {
  it.each([
    { maxConcurrent: 1, maxQueue: 1 },
    { maxConcurrent: 2, maxQueue: 3 },
    { maxConcurrent: 10, maxQueue: 10 },
  ])('refuses none of the clients that call again on their answer, with %j', async ({ maxConcurrent, maxQueue }) => {
    const { environment, bulkhead, work, call } = setUp({ maxConcurrent, maxQueue });
    const clients = Array.from({ length: maxConcurrent + maxQueue }, async () => {
      for (let made = 0; made < 20; made++) await call();
    }).map(track);

    for (let ended = 0; ended < 20 * (maxConcurrent + maxQueue); ended++) {
      await settle();
      work.succeed(ended);
    }
    await settle();

    expect(clients.map(({ status }) => status)).toEqual(clients.map(() => 'fulfilled'));
    expect(environment.of('refused')).toEqual([]);
    expect([bulkhead.active, bulkhead.waiting]).toEqual([0, 0]);
  });

  it('lets whoever waits have it, also when a more important call comes right after', async () => {
    const { work, call } = setUp({ maxConcurrent: 1, maxQueue: 1, priority });
    const first = call(0);
    const waits = track(call(0));
    work.succeed(0);
    await first;

    const important = track(call(1));
    await settle();
    work.succeed(1);
    await settle();
    work.succeed(2);
    await settle();

    expect(work.calls.map(({ args }) => args[0])).toEqual([0, 0, 1]);
    expect([waits.status, important.status]).toEqual(['fulfilled', 'fulfilled']);
  });

  it('still refuses whom neither the slot nor the queue has room for', async () => {
    const { work, call } = setUp({ maxConcurrent: 1, maxQueue: 1 });
    const first = call();
    const waits = track(call());
    work.succeed(0);
    await first;

    const [second, third] = [call(), call()].map(track);
    await settle();

    expect([waits.status, second?.status, third?.status]).toEqual(['pending', 'pending', 'rejected']);
  });

  it('lets the probe of a half-open breaker begin, when there are more free slots than calls that wait', async () => {
    const { environment, bulkhead, work, call } = setUp({ maxConcurrent: 3, maxQueue: 3 });
    const running = [call(), call(), call()];
    track(call());
    work.succeed(0);
    work.succeed(1);
    await Promise.all(running.slice(0, 2));

    const probe = newCall(environment);
    probe.rarely().probe = true;
    const result = track(execute(bulkhead, probe, work.run));
    await settle();

    expect(result.status).toBe('pending');
    expect([work.begun, bulkhead.active]).toEqual([5, 3]);
  });

  it('takes the free slots of an adaptive limit that has grown into account', async () => {
    const { work, bulkhead, call } = setUp({ maxConcurrent: adaptive({ initial: 1, min: 1, max: 2 }), maxQueue: 1 });
    const results: Tracked[] = [];
    const first = call();
    results.push(track(call()));
    work.succeed(0);
    await first;
    results.push(track(call()));
    await settle();

    expect(results.map(({ status }) => status)).toEqual(['pending', 'pending']);
    expect(bulkhead.active + bulkhead.waiting).toBe(2);
  });
});

describe('the priority of a call', () => {
  it.each([
    {
      happens: 'the call is aborted',
      act: (scene: Scene) => scene.call.abort('gone'),
      outcome: 'gone',
    },
    {
      happens: 'the app closes',
      act: (scene: Scene) => scene.environment.lifecycle.close(),
      outcome: expect.objectContaining({ code: 'SHUTDOWN' }) as unknown,
    },
    {
      happens: 'another call takes the last place in the queue',
      act: (scene: Scene) => void track(scene.other()),
      outcome: expect.objectContaining({ code: 'BULKHEAD_FULL' }) as unknown,
    },
  ])('leaves nothing behind, when $happens while it is asked for', async ({ act, outcome }) => {
    let scene: Scene | undefined = undefined;
    let asked = false;
    const { environment, bulkhead, work, call } = setUp({
      maxConcurrent: 1,
      maxQueue: 1,
      priority: () => {
        if (asked) return 0;
        asked = true;
        act(scene as Scene);
        return 0;
      },
    });
    track(call());
    scene = { environment, call: newCall(environment), other: call };

    const result = track(execute(bulkhead, scene.call, work.run));
    await settle();

    expect(result).toEqual({ status: 'rejected', outcome });
    expect(work.begun).toBe(1);
    environment.lifecycle.close();
    expect([bulkhead.active, bulkhead.waiting]).toEqual([1, 0]);
  });

  it('is of no matter, when a slot comes free while it is asked for', async () => {
    const { environment, bulkhead, work, call } = setUp({
      maxConcurrent: 1,
      priority: () => {
        bulkhead.reconfigure({ ...bulkhead.options, maxConcurrent: 2 });
        return 0;
      },
    });
    track(call());

    const result = track(call());
    await settle();

    expect([result.status, work.begun, environment.of('refused')]).toEqual(['pending', 2, []]);
  });
});

interface Scene {
  environment: TestEnvironment;
  call: ReturnType<typeof newCall>;
  other: () => Promise<unknown>;
}
