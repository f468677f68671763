import { describe, expect, it } from 'vitest';
import { listen, startDashboard, OPERATOR } from './support/dashboard-app.js';
import { PLATFORMS } from './support/harness.js';

describe.each(PLATFORMS)('the dashboard on $platform', ({ adapter }) => {
  it('tells the state of everything', async () => {
    const { state, payments } = await startDashboard(undefined, { adapter });
    await payments.charge(() => 1);

    const seen = await state();

    expect(seen).toMatchObject({ canAct: false, fleet: false, draining: false, ingress: null });
    expect(seen.instances.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['Payments.search', 'payments', 'tenants']),
    );
    expect(seen.samples.map(([, state]) => state)).toContain('closed');
    expect((await state(OPERATOR)).canAct).toBe(true);
  });

  it('streams', async () => {
    const { page } = await startDashboard(undefined, { adapter });
    const stream = await listen(page);
    await expect.poll(() => stream.events.length).toBeGreaterThan(0);
    expect(stream.events[0]?.event).toBe('state');
    stream.leave();
    await stream.ended;
  });
});
