import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { EtcdClient } from '../../../lib/cluster/etcd/client/etcd-client.js';
import type { EtcdRuleStatus } from '../../../lib/cluster/etcd/rules/rule-status.js';
import { EtcdServer, etcdMissing } from '../../support/servers/etcd-cluster.js';
import { until } from '../../support/until.js';
import {
  buildTwoVersions,
  NEXT_VERSION,
  OLD_VERSION,
  VersionedMember,
  type TwoVersions,
} from './support/two-versions.js';

const missing = etcdMissing();
const BREAKERS = ['first', 'second'];
const circuitBreaker = { volumeThreshold: 5, resetTimeout: 60_000 };
const POLICIES = { first: { circuitBreaker, retry: 2, timeout: 1_000 }, second: { circuitBreaker } };

/** A set of rules as the next version may be given: a section and two options that the old one does not know. */
const RULES = {
  version: 2,
  zones: { b: {} },
  policies: {
    first: { timeout: 300, retry: { maxAttempts: 2, patience: 50 } },
    second: { circuitBreaker: { volumeThreshold: 5, recovery: { over: 100, from: 0.1 } } },
  },
};
/** What the old version does not know of it. */
const UNKNOWN = ['policies.first.retry.patience', 'zones'];

describe.skipIf(missing)('a fleet of two versions of the app, on a real etcd', () => {
  let builds: TwoVersions;
  let server: EtcdServer;
  let client: EtcdClient;
  let cacheDir: string;
  let prefix: string;
  const members: VersionedMember[] = [];

  beforeAll(async () => {
    [builds, server] = await Promise.all([buildTwoVersions(), EtcdServer.create()]);
    client = new EtcdClient({ hosts: server.host() });
  });
  afterAll(async () => {
    client?.close();
    await server?.remove();
    for (const folder of Object.values(builds)) await rm(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    prefix = `upgrade-${Math.random()}/`;
    cacheDir = await mkdtemp(join(tmpdir(), 'bulwark-cache-'));
  });
  afterEach(async () => {
    await Promise.all(members.splice(0).map((member) => member.close()));
    await rm(cacheDir, { recursive: true });
  });

  async function start(version: keyof TwoVersions, address: string, cache?: string): Promise<VersionedMember> {
    const etcd = {
      hosts: server.host(),
      prefix,
      timeout: 1_000,
      rules: { spread: 0 },
      commands: true,
      breakers: 'follow',
      discovery: { service: 'stock', address, drain: 0 },
      ...(cache !== undefined && { cacheDir: cache }),
    } as const;
    const member = await VersionedMember.start(builds[version], etcd, POLICIES);
    members.push(member);
    return member;
  }

  const startAll = () => Promise.all([start('old', 'a'), start('old', 'b'), start('next', 'c'), start('next', 'd')]);
  const looks = (names: readonly string[] = []) => Promise.all(members.map((member) => member.look(names)));
  const allAre = (name: string, state: string) => async () =>
    (await looks([name])).every(({ states }) => states[0] === state);
  const statuses = async (): Promise<EtcdRuleStatus[]> => {
    const { entries } = await client.list(`${prefix}status/`);
    return entries.map(({ value }) => JSON.parse(value) as EtcdRuleStatus);
  };
  /** What members of a version have logged of what they do not know. */
  const unknownTo = async (some: readonly VersionedMember[]): Promise<string[][]> =>
    (await Promise.all(some.map((member) => member.look()))).map(({ lines }) =>
      lines.filter((line) => line.includes('does not know')),
    );
  const errors = async () => (await looks()).flatMap(({ lines }) => lines.filter((line) => line.startsWith('error')));

  it('takes one set of rules, and says what of it the old one does not know', async () => {
    const [old] = await startAll();

    const revision = await client.put(`${prefix}rules`, JSON.stringify(RULES));
    await until('all apply it', async () => (await looks()).every(({ timeout }) => timeout === 300));
    await until(
      'all say so',
      async () => (await statuses()).filter((status) => status.revision === revision).length === 4,
    );

    const told = await statuses();
    const of = (version: string) => told.filter((status) => status.version === version);
    expect(told.map(({ applied, refused }) => ({ applied, refused }))).toEqual(
      Array(4).fill({ applied: true, refused: undefined }),
    );
    expect(of(OLD_VERSION).map(({ unknown = [] }) => [...unknown].sort())).toEqual([UNKNOWN, UNKNOWN]);
    expect(of(NEXT_VERSION)).toEqual([expect.objectContaining({ zone: 'b' }), expect.objectContaining({ zone: 'b' })]);
    expect(of(NEXT_VERSION).flatMap(({ unknown = [] }) => unknown)).toEqual([]);
    expect((await unknownTo([old]))[0]).toContainEqual(expect.stringContaining('policies.first.retry.patience'));
    expect(await errors()).toEqual([]);
  });

  it('advises itself, both ways, and finds all its endpoints', async () => {
    const [oldOne, oldOther, nextOne, nextOther] = await startAll();
    const eachCalls = async (name: string) => Promise.all(members.map((member) => member.call(name)));
    const reported = async (name: string) => {
      const { entries } = await client.list(`${prefix}trips/`);
      return entries.filter(({ value }) => (JSON.parse(value) as { called: string[] }).called.includes(name)).length;
    };

    await eachCalls('first');
    await until('all are known to call it', async () => (await reported('first')) === 4);
    await Promise.all([nextOne, nextOther].map((member) => member.call('first', true)));
    await until('the old ones have followed the new ones', allAre('first', 'open'));
    await eachCalls('second');
    await until('all are known to call it', async () => (await reported('second')) === 4);
    await Promise.all([oldOne, oldOther].map((member) => member.call('second', true)));
    await until('the new ones have followed the old ones', allAre('second', 'open'));
    await until('each finds all', async () => (await looks()).every(({ endpoints }) => endpoints.length === 4));

    const unknown = await unknownTo([oldOne, oldOther]);
    for (const lines of unknown) expect(lines).toEqual([expect.stringMatching(/trips\/.* does not know zone/)]);
    expect(await unknownTo([nextOne, nextOther])).toEqual([[], []]);
    expect(await errors()).toEqual([]);
  });

  it('obeys the commands of either', async () => {
    const [old, , next] = await startAll();
    const order = { state: 'forcedOpen', reason: 'a drill', author: 'ann' } as const;

    await next.command('first', order);
    await old.command('second', order);
    await until('all obey the new one', allAre('first', 'forcedOpen'));
    await until('all obey the old one', allAre('second', 'forcedOpen'));
    await old.command('first', { ...order, state: 'normal' });
    await next.command('second', { ...order, state: 'normal' });
    await until('all go on', async () => (await looks(BREAKERS)).every(({ states }) => !states.includes('forcedOpen')));

    const [told = []] = await unknownTo([old]);
    expect(told.filter((line) => line.includes('/commands/'))).toEqual([
      expect.stringContaining('does not know ticket'),
    ]);
    expect(await unknownTo([next])).toEqual([[]]);
    expect(await errors()).toEqual([]);
  });

  it.each([
    ['old', 'next'],
    ['next', 'old'],
  ] as const)('goes from %s to %s in one folder, also while etcd is away', async (before, after) => {
    const first = await start(before, 'a', cacheDir);
    await client.put(`${prefix}rules`, JSON.stringify(RULES));
    await first.command('second', { state: 'disabled', reason: 'an upgrade', author: 'ann' });
    await until('it applies them', async () => (await first.look()).timeout === 300);
    await until('it obeys', allAre('second', 'disabled'));
    await first.close();
    members.pop();
    await server.stop('SIGKILL');

    const second = await start(after, 'a', cacheDir);
    const { timeout, states } = await second.look(['second']);
    await server.start();

    expect({ timeout, states }).toEqual({ timeout: 300, states: ['disabled'] });
    expect(await errors()).toEqual([]);
  });
});
