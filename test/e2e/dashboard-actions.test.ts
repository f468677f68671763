import { describe, expect, it } from 'vitest';
import { act, action, OPERATOR, SAME_ORIGIN, startDashboard } from './support/dashboard-app.js';
import { PLATFORMS } from './support/harness.js';

describe.each(PLATFORMS)('an action on $platform', ({ adapter }) => {
  it('forces a breaker open, and says who did', async () => {
    const { page, state, service, log } = await startDashboard(undefined, { adapter });

    const { status, body } = await act(page, action(await state(), { reason: 'failover of the bank' }));

    expect(status).toBe(200);
    expect(body).toEqual({ state: 'forcedOpen' });
    expect(service.circuitBreaker('payments').state).toBe('forcedOpen');
    expect(log.ofBulwark('warn')).toEqual([
      "Dashboard: ann at 127.0.0.1: forceOpen 'payments', reason 'failover of the bank': done, it is forcedOpen",
    ]);
    expect((await state()).timeline.map(({ type, name }) => [type, name])).toEqual([
      ['stateChange', 'payments'],
      ['operatorAction', 'payments'],
    ]);
  });

  it('does nothing without rights', async () => {
    const { page, state, service, log } = await startDashboard(undefined, { adapter });

    const { status, body } = await act(page, action(await state()), SAME_ORIGIN);

    expect(status).toBe(403);
    expect(body.code).toBe('FORBIDDEN');
    expect(service.circuitBreaker('payments').state).toBe('closed');
    expect(log.ofBulwark('warn')).toHaveLength(1);
  });

  it('from another origin does nothing', async () => {
    const { page, state, service } = await startDashboard(undefined, { adapter });
    const request = action(await state());
    const statuses: number[] = [];
    for (const headers of [
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { 'sec-fetch-site': 'none' },
      { origin: 'https://evil.example' },
      { origin: 'null' },
      {},
    ])
      statuses.push((await act(page, request, { ...OPERATOR, ...(headers as Record<string, string>) })).status);

    expect(statuses).toEqual([403, 403, 403, 403, 403, 403]);
    expect(service.circuitBreaker('payments').state).toBe('closed');
  });
});
