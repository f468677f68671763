import { describe, expect, it } from 'vitest';
import { partsOf } from '../../../../../lib/cluster/etcd/etcd-parts.js';
import { makeSetPlan } from '../../../../../lib/planning/set-plan.js';
import { FakeEtcd } from '../../../../support/fake-etcd.js';
import { FleetMember } from '../../../../support/fleet-member.js';

const CALLS = 1_000_000;
const AT_ONCE = 1_000;

describe('a client of etcd whose operations never end', () => {
  it(`makes none of ${CALLS} calls wait`, async () => {
    const alone = await timeCalls(new FleetMember());
    const etcd = new FakeEtcd();
    etcd.away = 'hangs';
    const member = new FleetMember(etcd, { breakers: 'follow', commands: true });
    for (const part of partsOf(member.surroundings)) void part.start();

    const hanging = await timeCalls(member);

    console.info(
      `${CALLS} calls: ${alone.ms} ms without etcd, ${hanging.ms} ms with a client that hangs; the longest ${AT_ONCE} took ${hanging.longestMs} ms`,
    );
    expect(hanging.ended).toBe(CALLS);
    expect(hanging.ms).toBeLessThan(10 * alone.ms);
  });
});

/** Makes calls of which each tenth fails; time stands still, so that what waits for a timer never ends. */
async function timeCalls(member: FleetMember) {
  const { runtime } = member;
  runtime.addPolicies('policies', { payments: { circuitBreaker: {} } });
  runtime.environment.lenient = false;
  const plan = runtime.app.plans.ofName('payments', (planner) => makeSetPlan(planner, 'payments'));
  const fine = (): Promise<string> => Promise.resolve('fine');
  const failing = (): Promise<never> => Promise.reject(new Error('boom'));
  let ended = 0;
  let longestMs = 0;
  const began = performance.now();
  for (let call = 0; call < CALLS; call += AT_ONCE) {
    const start = performance.now();
    const running = Array.from({ length: AT_ONCE }, (_, at) =>
      plan.call(undefined, [], undefined, { body: at % 10 === 0 ? failing : fine }),
    );
    ended += (await Promise.allSettled(running)).length;
    longestMs = Math.max(longestMs, Math.round(performance.now() - start));
  }
  return { ended, longestMs, ms: Math.round(performance.now() - began) };
}
