import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CommandWriter } from '../../../lib/cluster/etcd/commands/command-writer.js';
import { EtcdClient } from '../../../lib/cluster/etcd/client/etcd-client.js';
import { KeyWatch } from '../../../lib/cluster/etcd/client/key-watch.js';
import { compileLib } from '../../support/compiled-lib.js';
import { EtcdCluster, etcdMissing } from '../../support/servers/etcd-cluster.js';
import { until } from '../../support/until.js';
import { Member, Upstream, type MemberAnswer } from './support/advised-fleet.js';

const missing = etcdMissing();
const RESET_MS = 2_000;
/** It trips by its own calls after 5 failures of 10, and a {@link SHY} one by no number of them. */
const KEEN = { volumeThreshold: 5, resetTimeout: RESET_MS };
const SHY = { volumeThreshold: 100_000, resetTimeout: RESET_MS };

describe.skipIf(missing)('three processes with one upstream, on a real etcd', () => {
  let library: string;
  let cluster: EtcdCluster;
  let client: EtcdClient;
  let upstream: Upstream;
  let prefix: string;
  let watch: KeyWatch;
  /** All that was ever told in etcd, by process. */
  let reports: Map<string, string[]>;
  const members: Member[] = [];

  beforeAll(async () => {
    library = await mkdtemp(join(tmpdir(), 'bulwark-fleet-'));
    await compileLib(library);
    cluster = await EtcdCluster.create();
    client = new EtcdClient({ hosts: cluster.hosts });
  });
  afterAll(async () => {
    client?.close();
    await cluster?.remove();
    await rm(library, { recursive: true, force: true });
  });
  beforeEach(async () => {
    upstream = await Upstream.create();
    prefix = `fleet-${Math.random()}/`;
    reports = new Map();
    watch = new KeyWatch(client, `${prefix}trips/`, {
      put: ({ key, value }) => reports.set(key, [...(reports.get(key) ?? []), value]),
      deleted: () => undefined,
    });
    watch.start();
  });
  afterEach(async () => {
    await Promise.all(members.splice(0).map((member) => member.close()));
    upstream.close();
    await watch.close();
  });

  /** @param skews how wrong the clock of each member is, ms. */
  async function startSkewed(
    breakers: 'advise' | 'follow',
    kinds: readonly (typeof KEEN)[],
    skews: readonly number[] = [],
  ): Promise<Member[]> {
    const etcd = { hosts: cluster.hosts, prefix, breakers, commands: true };
    const started = await Promise.all(
      kinds.map((circuitBreaker, index) =>
        Member.create({
          library,
          etcd,
          circuitBreaker,
          upstream: upstream.url,
          everyMs: 20,
          skewMs: skews[index] ?? 0,
        }),
      ),
    );
    members.push(...started);
    // Each knows by now that the others call it too.
    await until(
      'all are heard of',
      () =>
        [...reports.values()].filter((texts) => texts.at(-1)?.includes('"called":["upstream"]')).length ===
        kinds.length,
    );
    return started;
  }

  const start = (breakers: 'advise' | 'follow', ...kinds: (typeof KEEN)[]): Promise<Member[]> =>
    startSkewed(breakers, kinds);

  const openNames = (): string[][] =>
    [...reports].map(([key, texts]) => texts.filter((text) => text.includes('"open":["upstream"]')).map(() => key));

  it('open together, probe one by one, and close together', async () => {
    const fleet = await start('follow', KEEN, KEEN, SHY);
    const began = performance.now();

    upstream.fails = true;
    await until('all are open', () => fleet.every((member) => member.enteredAt('open') !== undefined));
    const opened = fleet.map((member) => member.enteredAt('open') as number).sort((a, b) => a - b);
    const [, quorumAt = 0, allAt = 0] = opened;
    await delay(8 * RESET_MS);
    const probes = upstream.calls.filter((at) => at > allAt + 50);
    upstream.fails = false;
    const mended = performance.now();
    await until('all are closed', () => fleet.every((member) => member.enteredAt('closed', mended) !== undefined));
    const closed = fleet.map((member) => member.enteredAt('closed', mended) as number).sort((a, b) => a - b);

    const mostProbes = Math.max(
      ...probes.map((from) => probes.filter((at) => at >= from && at < from + RESET_MS).length),
    );
    const gaps = probes.slice(1).map((at, index) => at - (probes[index] as number));
    const spread = (closed[2] ?? Infinity) - (closed[0] ?? 0);
    console.info(
      `quorum ${Math.round(quorumAt - began)} ms after the failure, all open ${Math.round(allAt - quorumAt)} ms later; ` +
        `${probes.length} probes in ${8 * RESET_MS} ms, at most ${mostProbes} in ${RESET_MS} ms, least gap ${Math.round(Math.min(...gaps))} ms; ` +
        `first close ${Math.round((closed[0] ?? 0) - mended)} ms after it was mended, all ${Math.round(spread)} ms later`,
    );
    expect(allAt - quorumAt).toBeLessThan(2_000);
    expect(mostProbes).toBeLessThanOrEqual(3);
    // A machine that is busy may hold one up until the turn of another.
    expect(gaps.filter((gap) => gap < 10).length).toBeLessThanOrEqual(gaps.length / 10);
    expect(spread).toBeLessThan(2_000);
    expect(fleet[2]?.changes.find(({ to }) => to === 'open')?.reason).toMatch(/^advised by others: in 2 of 3 /);
    // Two have opened it by their own calls; what advice opened is nowhere.
    expect(openNames().filter((names) => names.length > 0)).toHaveLength(2);
  });

  it('open, close and obey together, whatever their clocks say', async () => {
    const HOUR_MS = 3_600_000;
    const fleet = await startSkewed('follow', [KEEN, KEEN, SHY], [HOUR_MS, -HOUR_MS, 0]);
    const all = (state: string, since = 0) => fleet.every((member) => member.enteredAt(state, since) !== undefined);

    upstream.fails = true;
    await until('all are open', () => all('open'));
    upstream.fails = false;
    const mended = performance.now();
    await until('all are closed', () => all('closed', mended));
    const commands = new CommandWriter(client, prefix, Date.now);
    await commands.command('upstream', { state: 'forcedOpen', reason: 'a drill', author: 'ann', for: 60_000 });
    await until('all obey', () => all('forcedOpen'));
    const taken = performance.now();
    await commands.command('upstream', { state: 'normal', reason: 'done', author: 'ann' });
    await until('all go on', () => all('closed', taken));

    const answers = await Promise.all(fleet.map((member) => member.ask()));
    expect(answers.map(({ state }) => state)).toEqual(['closed', 'closed', 'closed']);
  });

  it('are not opened by one that is cut off alone, and it opens nobody', async () => {
    const fleet = await start('follow', KEEN, KEEN, KEEN);
    const [alone, ...others] = fleet as [Member, Member, Member];

    alone.tell({ isCutOff: true });
    await until('it is open', () => alone.enteredAt('open') !== undefined);
    await delay(3 * RESET_MS);

    expect(others.flatMap(({ changes }) => changes)).toEqual([]);
    expect(openNames().filter((names) => names.length > 0)).toHaveLength(1);
  });

  it("open by their next failure, with 'advise', and no sooner", async () => {
    const fleet = await start('advise', KEEN, KEEN, SHY);
    const [one, other, third] = fleet as [Member, Member, Member];

    for (const member of [one, other]) member.tell({ isCutOff: true });
    await until('two are open', () => [one, other].every((member) => member.enteredAt('open') !== undefined));
    await delay(1_500);
    const before = third.changes.length;
    third.tell({ isCutOff: true });
    await until('the third is open', () => third.enteredAt('open') !== undefined, 2_000);

    expect(before).toBe(0);
    expect(third.changes[0]?.reason).toMatch(/^advised by others/);
    expect(openNames().filter((names) => names.length > 0)).toHaveLength(2);
  });

  it('go on without etcd, cheaply, tell no caller of it, and find it again', async () => {
    const fleet = await start('follow', KEEN, KEEN, KEEN);
    for (const member of fleet) member.tell({ pause: 200 });
    const withEtcd = await shareOfCore(fleet, 8_000);

    await Promise.all(cluster.members.map((_, node) => cluster.kill(node)));
    await until('they know', () => fleet.every(({ store }) => store.at(-1)?.up === false));
    const without = await shareOfCore(fleet, 20_000);
    upstream.fails = true;
    for (const member of fleet) member.tell({ pause: 20 });
    await until('all are open', () => fleet.every((member) => member.enteredAt('open') !== undefined));
    upstream.fails = false;
    await until('all are closed', () => fleet.every((member) => member.enteredAt('closed') !== undefined));
    await Promise.all(cluster.members.map((server) => server.start()));
    const back = performance.now();
    await until('they are back', () => fleet.every(({ store }) => store.at(-1)?.up === true));
    const backMs = performance.now() - back;

    const answers = await Promise.all(fleet.map((member) => member.ask()));
    const errors = Object.keys(Object.assign({}, ...answers.map((answer) => answer.errors)) as object);
    console.info(
      `share of a core with etcd ${percent(withEtcd)}, without ${percent(without)}; back ${Math.round(backMs)} ms after etcd; errors: ${errors.join(' | ')}`,
    );
    for (const [index, share] of without.entries()) expect(share - (withEtcd[index] ?? 0)).toBeLessThanOrEqual(0.02);
    expect(errors.filter((text) => !/^(?: upstream failed|CIRCUIT_OPEN Service Unavailable .*)$/.test(text))).toEqual(
      [],
    );
    expect(fleet.map(({ store }) => store.map(({ up }) => up))).toEqual([
      [false, true],
      [false, true],
      [false, true],
    ]);
  });
});

/** What share of a core each member took for `ms`. */
async function shareOfCore(fleet: readonly Member[], ms: number): Promise<number[]> {
  const before = await Promise.all(fleet.map((member) => member.ask()));
  await delay(ms);
  const after = await Promise.all(fleet.map((member) => member.ask()));
  const used = ({ cpu }: MemberAnswer): number => (cpu.user + cpu.system) / 1_000;
  return after.map((answer, index) => {
    const start = before[index] as MemberAnswer;
    return (used(answer) - used(start)) / (answer.uptime - start.uptime);
  });
}

function percent(shares: readonly number[]): string {
  return shares.map((share) => `${(share * 100).toFixed(1)} %`).join(', ');
}
