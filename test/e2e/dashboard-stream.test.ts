import { connect } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { DashboardState, InstanceDetail, Tick } from '../../lib/observability/dashboard/protocol.js';
import { FLEET_COMMANDS } from '../../lib/module/fleet-commands.js';
import { act, action, listen, OPERATOR, StaffGuard, startDashboard } from './support/dashboard-app.js';
import { PLATFORMS, until } from './support/harness.js';

const SECOND_MS = 1_000;

describe.each(PLATFORMS)('the stream of the dashboard on $platform', ({ adapter }) => {
  it('tells everything first, and then what changes, at most once a second', async () => {
    const { page, payments } = await startDashboard(undefined, { adapter });
    const stream = await listen(page);
    await until(() => stream.events.length > 0);
    const began = performance.now();
    const work = setInterval(() => void payments.charge(() => 1), 5);
    onTestFinished(() => clearInterval(work));

    await until(() => stream.events.filter(({ event }) => event === 'tick').length >= 3);

    const seconds = (performance.now() - began) / SECOND_MS;
    const [first, ...ticks] = stream.events as { event: string; data: DashboardState & Tick }[];
    expect(first?.event).toBe('state');
    expect(new Set(ticks.map(({ event }) => event))).toEqual(new Set(['tick']));
    expect(ticks.length).toBeLessThanOrEqual(Math.ceil(seconds));
    const place = first?.data.instances.findIndex(({ name }) => name === 'payments');
    const [, , calls] = ticks.at(-1)?.data.samples.find(([index]) => index === place) ?? [];
    expect(calls).toBeGreaterThan(20);
    stream.leave();
  });

  it('is silent while nothing changes', async () => {
    const { page } = await startDashboard(undefined, { adapter });
    const stream = await listen(page);
    await until(() => stream.events.length > 0);

    await new Promise((resolve) => setTimeout(resolve, 2_500));

    expect(stream.events).toHaveLength(1);
    stream.leave();
  });

  it('is for 50 clients, and 503 for the next', async () => {
    const { page } = await startDashboard(undefined, { adapter });
    const streams = await Promise.all(Array.from({ length: 50 }, () => listen(page)));

    expect((await fetch(`${page}/api/stream`)).status).toBe(503);
    for (const { leave } of streams) leave();
    await Promise.all(streams.map(({ ended }) => ended));
    await expect
      .poll(async () => {
        const again = await listen(page);
        again.leave();
        return again.response.status;
      })
      .toBe(200);
  });

  it('does not hold up the end of the app, nor does a client that reads nothing', async () => {
    const { app, page, url } = await startDashboard(undefined, { adapter });
    const streams = await Promise.all([listen(page), listen(page), listen(page)]);
    await until(() => streams.every(({ events }) => events.length > 0));
    const deaf = connect(Number(new URL(url).port), '127.0.0.1');
    deaf.pause();
    deaf.on('error', () => undefined);
    deaf.write('GET /resilience/api/stream HTTP/1.1\r\nHost: x\r\n\r\n');
    await new Promise((resolve) => setTimeout(resolve, 100));

    const began = performance.now();
    await app.close();

    expect(performance.now() - began).toBeLessThan(SECOND_MS);
    await Promise.all(streams.map(({ ended }) => ended));
    deaf.destroy();
  });

  it('tells clients that may act so, and others not', async () => {
    const { page } = await startDashboard(undefined, { adapter });
    const streams = await Promise.all([listen(page), listen(page, OPERATOR)]);
    await until(() => streams.every(({ events }) => events.length > 0));

    expect(streams.map(({ events }) => (events[0]?.data as DashboardState).canAct)).toEqual([false, true]);
    for (const { leave } of streams) leave();
  });
});

describe.each(PLATFORMS)('one instance on $platform', ({ adapter }) => {
  const detail = async (page: string, name: string, headers: Record<string, string> = {}): Promise<InstanceDetail> =>
    (await (await fetch(`${page}/api/instances/${encodeURIComponent(name)}`, { headers })).json()) as InstanceDetail;

  it('is told with its plans, its breaker and the rules in force', async () => {
    const { page, service } = await startDashboard(undefined, { adapter });
    service.rules.apply({ version: 7, policies: { payments: { timeout: 500 } } }, { by: 'ann', reason: 'slow bank' });

    const seen = await detail(page, 'payments');

    expect(seen.row).toEqual({
      name: 'payments',
      guards: ['Payments.charge'],
      policies: ['circuitBreaker', 'timeout'],
    });
    expect(seen.plans).toMatchObject([
      { guard: 'Payments.charge', steps: [{ policy: 'circuitBreaker' }, { policy: 'timeout', name: 'payments' }] },
    ]);
    const timeout = seen.plans[0]?.steps.find(({ policy }) => policy === 'timeout');
    expect(timeout?.options).toContainEqual({ option: 'perAttempt', value: '500', source: 'rule' });
    expect(seen.rules).toEqual({
      revision: '7',
      by: 'ann (api)',
      lines: [expect.objectContaining({ path: 'policies.payments.timeout', value: '500' })],
    });
    expect(seen.breaker).toMatchObject({ state: 'closed', keys: null, thresholdRatio: 0.5 });
  });

  it('tells what its upstream said only to those who may act', async () => {
    const { page, payments } = await startDashboard(undefined, { adapter });
    const secret = new Error('connect postgres://app:hunter2@db/shop failed');
    for (let call = 0; call < 2; call++) await payments.charge(() => Promise.reject(secret)).catch(() => undefined);
    await payments.search(() => Promise.reject(new Error('down')));

    expect((await detail(page, 'payments')).lastErrors).toBeNull();
    expect((await detail(page, 'payments', OPERATOR)).lastErrors).toEqual([
      { at: expect.any(Number), text: 'Error: connect postgres://***@db/shop failed' },
    ]);
    expect((await detail(page, 'Payments.search', OPERATOR)).lastErrors).toHaveLength(1);
    const state = JSON.stringify(await (await fetch(`${page}/api/state`)).json());
    expect(state).toContain('open');
    expect(state).not.toContain('hunter2');
    expect(state).not.toContain('postgres');
  });

  it('tells the keys that are not closed first', async () => {
    const { page, payments, service } = await startDashboard(undefined, { adapter });
    for (let key = 0; key < 150; key++) await payments.ofTenant(`t${key}`, () => 1);
    service.circuitBreaker('tenants', 't149').forceOpen();

    const { breaker } = await detail(page, 'tenants');

    expect(breaker?.keys).toHaveLength(100);
    expect(breaker?.keys?.[0]).toEqual({ key: 't149', state: 'forcedOpen' });
  });
});

describe('a fleet', () => {
  const fleetOf = (said: unknown[], fails = false) => ({
    global: true,
    module: class Fleet {},
    providers: [
      {
        provide: FLEET_COMMANDS,
        useValue: {
          command: async (...args: unknown[]) => {
            said.push(['command', ...args]);
            if (fails) throw new Error('etcd is away');
          },
          reset: async (...args: unknown[]) => void said.push(['reset', ...args]),
        },
      },
    ],
    exports: [FLEET_COMMANDS],
  });

  it('is steered as a whole', async () => {
    const said: unknown[] = [];
    const { page, state, log } = await startDashboard(undefined, { imports: [fleetOf(said)] });
    const seen = await state();
    expect(seen.fleet).toBe(true);

    await act(page, action(seen, { scope: 'fleet', reason: 'sale', for: 60_000 }));
    await act(page, action(seen, { scope: 'fleet', action: 'disable' }));
    await act(page, action(seen, { scope: 'fleet', action: 'enable' }));
    await act(page, action(seen, { scope: 'fleet', action: 'reset' }));

    const author = 'ann at 127.0.0.1';
    const reason = 'from the dashboard';
    expect(said).toEqual([
      ['command', 'payments', { state: 'forcedOpen', reason: 'sale', author, for: 60_000 }],
      ['command', 'payments', { state: 'disabled', reason, author, for: 900_000 }],
      ['command', 'payments', { state: 'normal', reason, author }],
      ['command', 'payments', { state: 'normal', reason, author }],
      ['reset', 'payments', { reason, author }],
    ]);
    expect(log.ofBulwark('warn')[0]).toContain("forceOpen 'payments' in all processes, reason 'sale': done");
  });

  it('that cannot be reached is told as such', async () => {
    const { page, state, log } = await startDashboard(undefined, { imports: [fleetOf([], true)] });

    const { status, body } = await act(page, action(await state(), { scope: 'fleet' }));

    expect([status, body.code]).toEqual([503, 'FLEET_FAILED']);
    expect(JSON.stringify(body)).not.toContain('etcd is away');
    expect(log.ofBulwark('warn')[0]).toContain('etcd is away');
  });
});

it('the guard of actions decides who sees what an upstream said, and who may act', async () => {
  const { state } = await startDashboard({ guards: [], actionGuards: [new StaffGuard()] });

  expect([(await state()).canAct, (await state(OPERATOR)).canAct]).toEqual([false, true]);
});
