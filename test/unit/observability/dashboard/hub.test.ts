import { Runtime } from '../../../../lib/module/runtime/runtime.js';
import { Hub } from '../../../../lib/observability/dashboard/hub/hub.js';
import type { DashboardState, Tick } from '../../../../lib/observability/dashboard/protocol.js';
import type { Outlet } from '../../../../lib/observability/dashboard/hub/viewers.js';
import type { PolicySet } from '../../../../lib/policies/policy-set.js';
import { makeSetPlan } from '../../../../lib/planning/set-plan.js';
import { describe, expect, it } from 'vitest';
import { settle } from '../../../support/settle.js';
import { VirtualClock } from '../../../support/virtual-clock.js';

/** A client whose line can be stopped. */
class TestOutlet implements Outlet {
  isBlocked = false;
  ended = false;
  beats = 0;
  readonly sent: { event: string; data: string }[] = [];

  send(event: string, data: string): void {
    this.sent.push({ event, data });
  }

  beat(): void {
    this.beats++;
  }

  end(): void {
    this.ended = true;
  }

  get ticks(): Tick[] {
    return this.sent.filter(({ event }) => event === 'tick').map(({ data }) => JSON.parse(data) as Tick);
  }
}

function scene(names: readonly string[] = ['payments']) {
  const clock = new VirtualClock();
  const policies: Record<string, PolicySet> = {};
  for (const name of names) policies[name] = { circuitBreaker: { volumeThreshold: 1_000_000 }, bulkhead: 1_000 };
  const runtime = new Runtime(false, { clock, random: () => 0.5 });
  runtime.configure({ policies, log: false });
  const { readModel: model, events, instances } = runtime;
  const hub = new Hub({
    model,
    events,
    clock,
    isDraining: () => runtime.lifecycle.closing,
    watchReleases: (listener) => instances.watchReleases(listener),
  });
  const call = (name: string, work: () => unknown = () => 1): Promise<unknown> =>
    runtime.app.plans
      .ofName(name, (planner) => makeSetPlan(planner, name))
      .call(undefined, [], undefined, { body: work });
  const join = (outlet = new TestOutlet()) => {
    const everything = (): string => JSON.stringify(hub.state);
    const leave = hub.join(outlet, everything, everything());
    return { outlet, leave };
  };
  return { clock, runtime, hub, call, join };
}

describe('the hub', () => {
  it('tells a client everything, and then once a second what has changed', async () => {
    const { clock, call, join } = scene();
    await call('payments');
    const { outlet } = join();
    const state = JSON.parse(outlet.sent[0]?.data as string) as DashboardState;
    expect(state.instances.map(({ name }) => name)).toContain('payments');

    for (let turn = 0; turn < 3; turn++) {
      for (let calls = 0; calls < 7 + turn; calls++) await call('payments');
      await clock.advance(1_000);
    }

    expect(outlet.ticks).toHaveLength(3);
    expect(outlet.ticks[1]?.samples[0]?.slice(1, 6)).toEqual(['closed', 8, 0, 0, 0]);
  });

  it('says nothing while nothing changes, but that it is there', async () => {
    const { clock, call, join } = scene();
    await call('payments');
    const { outlet } = join();
    await clock.advance(60_000);

    expect(outlet.sent.length).toBeLessThanOrEqual(4);
    expect(outlet.beats).toBeGreaterThanOrEqual(2);
  });

  it('skips the turns of a client that is slow, and tells it all that it has missed in one message', async () => {
    const { clock, call, join, runtime } = scene();
    await call('payments');
    const { outlet: slow } = join();
    const { outlet: quick } = join();
    await clock.advance(1_000);
    const before = slow.sent.length;
    slow.isBlocked = true;
    runtime.instances.breaker('payments')?.forceOpen('drill');
    await clock.advance(5_000);
    expect(slow.sent).toHaveLength(before);
    slow.isBlocked = false;
    await clock.advance(1_000);

    expect(slow.sent).toHaveLength(before + 1);
    expect(slow.ticks.at(-1)?.samples[0]?.[1]).toBe('forcedOpen');
    expect(slow.ticks.at(-1)?.timeline.map(({ type }) => type)).toEqual(['stateChange']);
    expect(quick.ticks.flatMap(({ timeline }) => timeline)).toHaveLength(1);
  });

  it('lets go of a client that takes nothing for a minute', async () => {
    const { clock, join } = scene();
    const { outlet } = join();
    outlet.isBlocked = true;
    await clock.advance(61_000);

    expect(outlet.ended).toBe(true);
  });

  it('keeps a point each five seconds, of five minutes, whether or not anybody looks on', async () => {
    const { clock, call, hub } = scene();
    for (let turn = 0; turn < 70; turn++) {
      for (let calls = 0; calls < turn; calls++) await call('payments');
      await clock.advance(5_000);
    }

    const history = hub.historyOf('payments');

    expect(history).toHaveLength(60);
    expect(history.map(([, success]) => success)).toEqual(Array.from({ length: 60 }, (_, index) => index + 10));
    expect((history[59]?.[0] as number) - (history[58]?.[0] as number)).toBe(5_000);
  });

  it('gives percentiles of the last ten seconds', async () => {
    const { clock, call, hub } = scene();
    const slow = async (ms: number): Promise<void> => {
      const done = call('payments', () => new Promise((resolve) => clock.setTimeout(() => resolve(1), ms)));
      await clock.advance(ms);
      await done;
    };
    for (let calls = 0; calls < 10; calls++) await slow(100);
    await clock.advance(2_000);
    const p50 = (): number | null | undefined => hub.state.samples[0]?.[6];

    expect(p50()).toBeGreaterThan(90);
    expect(p50()).toBeLessThan(110);
    await clock.advance(30_000);
    expect(p50()).toBeNull();
    await slow(10);
    await clock.advance(1_000);
    expect(p50()).toBeLessThan(12);
  });

  it('counts calls in flight, and those that wait', async () => {
    const { clock, call, hub } = scene();
    const pending = call('payments', () => new Promise((resolve) => clock.setTimeout(() => resolve(1), 500)));
    await settle();
    await clock.advance(5_000 - 4_900);

    expect(hub.state.samples[0]?.[9]).toBe(1);
    await clock.advance(1_000);
    await pending;
    expect(hub.state.samples[0]?.[9]).toBe(0);
  });

  it('with 500 instances, all busy, sends each client less than 100 KiB a second', async () => {
    const names = Array.from({ length: 500 }, (_, index) => `a-rather-long-name-of-instance-${index}`);
    const { clock, call, join } = scene(names);
    for (const name of names) await call(name);
    const clients = [join(), join(), join()];

    for (let second = 0; second < 3; second++) {
      for (const [index, name] of names.entries())
        for (let calls = 0; calls < 1 + ((index + second) % 3) * 9; calls++) await call(name);
      await clock.advance(1_000);
    }

    for (const { outlet } of clients) {
      const sizes = outlet.sent.slice(1).map(({ data }) => Buffer.byteLength(data));
      expect(sizes).toHaveLength(3);
      expect(Math.max(...sizes)).toBeLessThan(100 * 1_024);
      expect(outlet.ticks[2]?.samples.length).toBeGreaterThan(300);
    }
  });

  it('when 500 breakers open at once, does so too', async () => {
    const names = Array.from({ length: 500 }, (_, index) => `a-rather-long-name-of-instance-${index}`);
    const { clock, call, join, runtime } = scene(names);
    for (const name of names) await call(name);
    const { outlet } = join();
    for (const name of names) runtime.instances.breaker(name)?.forceOpen('the whole data centre is to be moved away');
    await clock.advance(1_000);

    expect(outlet.ticks[0]?.samples).toHaveLength(500);
    expect(outlet.ticks[0]?.timeline).toHaveLength(100);
    expect(Buffer.byteLength(outlet.sent[1]?.data as string)).toBeLessThan(100 * 1_024);
  });

  it('tells of instances that come and go while somebody looks on', async () => {
    const { clock, call, join, runtime } = scene(['payments', 'late']);
    await call('payments');
    const { outlet } = join();
    await clock.advance(1_000);
    await call('late');
    await clock.advance(1_000);
    const added = outlet.ticks.flatMap((tick) => tick.added);
    expect(added.map(({ name }) => name)).toEqual(['late']);

    runtime.instances.release('late');
    await clock.advance(1_000);

    expect(outlet.ticks.at(-1)?.samples).toContainEqual([
      added[0]?.index,
      null,
      0,
      0,
      0,
      0,
      null,
      null,
      null,
      0,
      0,
      null,
      0,
    ]);
  });

  it('makes no timer that keeps a process alive, and none once it is closed', async () => {
    const { clock, join, hub, runtime } = scene();
    const { outlet } = join();
    hub.close();
    const made = clock.timersMade;
    await clock.advance(60_000);

    expect(outlet.ended).toBe(true);
    expect(clock.timersMade).toBe(made);
    expect(runtime.events.hearsChanges).toBe(false);
    expect(hub.hasRoom).toBe(false);
  });
});
