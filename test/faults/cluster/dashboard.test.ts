import { Test } from '@nestjs/testing';
import { ResilienceModule, ResilienceService } from 'nestjs-bulwark';
import { ResilienceDashboardModule, type DashboardState } from 'nestjs-bulwark/dashboard';
import { ResilienceEtcdModule } from 'nestjs-bulwark/etcd';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { act, action, SAME_ORIGIN } from '../../e2e/support/dashboard-app.js';
import { RecordingLogger } from '../../e2e/support/harness.js';
import { etcdMissing, EtcdServer } from '../../support/servers/etcd-cluster.js';

describe.skipIf(etcdMissing())('the dashboard of a fleet, on a real etcd', () => {
  let server: EtcdServer;
  beforeAll(async () => {
    server = await EtcdServer.create();
  });
  afterAll(() => server?.remove());

  async function member(commands: boolean, prefix: string) {
    const module = await Test.createTestingModule({
      imports: [
        ResilienceModule.forRoot({ policies: { payments: { circuitBreaker: {} } }, log: false }),
        ResilienceDashboardModule.forRoot({ actionGuards: [] }),
        ResilienceEtcdModule.forRoot({ hosts: server.host(), prefix, commands }),
      ],
    })
      .setLogger(new RecordingLogger())
      .compile();
    const app = module.createNestApplication();
    onTestFinished(() => app.close());
    await app.listen(0, '127.0.0.1');
    const page = `${await app.getUrl()}/resilience`;
    const { state } = app.get(ResilienceService).circuitBreaker('payments');
    expect(state).toBe('closed');
    return {
      page,
      breaker: app.get(ResilienceService).circuitBreaker('payments'),
      state: async () => (await (await fetch(`${page}/api/state`)).json()) as DashboardState,
    };
  }

  it('steers all processes, and lets them go again', async () => {
    const [one, other] = await Promise.all([member(true, 'steers/'), member(true, 'steers/')]);
    const states = () => [one.breaker.state, other.breaker.state];
    expect((await one.state()).fleet).toBe(true);

    expect((await act(one.page, action(await one.state(), { scope: 'fleet' }), SAME_ORIGIN)).status).toBe(200);
    await expect.poll(states).toEqual(['forcedOpen', 'forcedOpen']);
    const seen = { scope: 'fleet', action: 'forceClose', seen: 'forcedOpen' } as const;
    expect((await act(other.page, action(await other.state(), seen), SAME_ORIGIN)).status).toBe(200);
    await expect.poll(states).toEqual(['closed', 'closed']);
  });

  it('is for one process alone, where the fleet hears no commands', async () => {
    const { page, state } = await member(false, 'alone/');

    expect((await state()).fleet).toBe(false);
    expect(await act(page, action(await state(), { scope: 'fleet' }), SAME_ORIGIN)).toMatchObject({
      status: 409,
      body: { code: 'NO_FLEET' },
    });
  });
});
