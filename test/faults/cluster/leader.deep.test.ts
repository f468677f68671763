import { describe, expect, it, onTestFinished } from 'vitest';
import { temporaryFolder } from '../../contract/temporary-folder.js';
import { compileLib } from '../../support/compiled-lib.js';
import { EtcdServer, etcdMissing } from '../../support/servers/etcd-cluster.js';
import { until } from '../../support/until.js';
import { LeaderProcess, writeLeaderProgram } from './leader-program.js';

const missing = etcdMissing();

/** Leaderships that change hands at once, so that the rounds take less time. */
const NAMES = Array.from({ length: 25 }, (_, index) => `job-${index}`);
const ROUNDS = 200;
/** The shortest that etcd grants, s. */
const TTL = 2;

async function setUp(): Promise<[LeaderProcess, LeaderProcess]> {
  const folder = await temporaryFolder();
  await compileLib(folder);
  const file = await writeLeaderProgram(folder);
  const server = await EtcdServer.create();
  onTestFinished(() => server.remove());
  const start = (): LeaderProcess => {
    const one = new LeaderProcess(file, server.host(), TTL, NAMES);
    onTestFinished(() => one.kill());
    return one;
  };
  const [one, other] = [start(), start()];
  await until('each leadership is held', async () => {
    const held = [...(await one.leads()), ...(await other.leads())];
    return held.length === NAMES.length;
  });
  return [one, other];
}

describe.skipIf(missing !== undefined)('a leader that is stopped for longer than its lease lives, and goes on', () => {
  it(`is refused by its fence, ${ROUNDS} times, while the next leader passes`, { timeout: 600_000 }, async () => {
    let [leader, next] = await setUp();
    let rounds = 0;
    const [late, believed]: [string[], string[]] = [[], []];

    while (rounds < ROUNDS) {
      await leader.hold();
      const before = (await leader.put()).accepted;
      leader.stop();
      const stale = leader.put();
      await until('the next process leads all', async () => (await next.leads()).length === NAMES.length);
      await next.hold();
      const fresh = next.put();
      leader.goOn();
      const [stopped, current] = await Promise.all([stale, fresh]);

      late.push(...stopped.accepted);
      believed.push(...stopped.believed);
      // On a machine so slow that one has lost its lease by itself nothing is shown.
      rounds += before.filter((name) => current.accepted.includes(name)).length;
      [leader, next] = [next, leader];
    }

    expect([late, believed]).toEqual([[], []]);
  });

  it('hands over within a moment when its app closes', { timeout: 120_000 }, async () => {
    const [one, other] = await setUp();

    await one.end();

    await until('the other leads all', async () => (await other.leads()).length === NAMES.length);
    await other.end();
  });
});
