import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { ClusterCommand } from '../../../../../lib/cluster/etcd/commands/cluster-command.js';
import { CommandsPart } from '../../../../../lib/cluster/etcd/commands/commands.part.js';
import { DiskCopy } from '../../../../../lib/cluster/etcd/disk-copy.js';
import { FakeEtcd } from '../../../../support/fake-etcd.js';
import { FleetMember } from '../../../../support/fleet-member.js';
import { settle } from '../../../../support/settle.js';
import { VirtualClock } from '../../../../support/virtual-clock.js';

const fileIn = (cacheDir: string): string => new DiskCopy(cacheDir, 'commands', 'bulwark/').path;

const cleaning: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const clean of cleaning.splice(0).reverse()) await clean();
});

const NOW = new VirtualClock().wallNow();
const FORCED: ClusterCommand = { state: 'forcedOpen', reason: 'bank moves', author: 'ann', until: NOW + 60_000 };
const KEY = 'bulwark/commands/payments';

async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'bulwark-commands-'));
  cleaning.push(() => rm(made, { recursive: true, force: true, maxRetries: 10 }));
  return made;
}

async function setUp({ etcd = new FakeEtcd(), cacheDir }: { etcd?: FakeEtcd; cacheDir?: string } = {}) {
  const member = new FleetMember(etcd, cacheDir === undefined ? {} : { cacheDir });
  const part = new CommandsPart(member.surroundings);
  cleaning.push(() => part.close());
  await part.start();
  const orders = (command: object, key = KEY): void => void etcd.write(key, JSON.stringify(command));
  return { etcd, member, part, orders, clock: member.clock };
}

describe('a command for all processes', () => {
  it('is obeyed by the breaker of its name until its key goes', async () => {
    const { etcd, member, orders } = await setUp();
    const breaker = member.breaker();
    const other = member.breaker('orders');

    orders(FORCED);
    const forced = breaker.state;
    etcd.remove(KEY);

    expect([forced, breaker.state, other.state]).toEqual(['forcedOpen', 'closed', 'closed']);
    expect(member.told).toMatchObject([
      {
        to: 'forcedOpen',
        reason: 'forced open in all processes by ann, until 2030-01-01T00:01:00Z: bank moves',
      },
      { to: 'closed', reason: 'the command takes back its word' },
    ]);
  });

  it('is obeyed by a breaker that comes into being later, and was there before the process', async () => {
    const etcd = new FakeEtcd();
    etcd.write(KEY, JSON.stringify({ ...FORCED, state: 'disabled', later: 'field' }));

    const { member } = await setUp({ etcd });

    expect(member.breaker().state).toBe('disabled');
  });

  it('gives way to the last revision, and to what is said by hand', async () => {
    const { member, orders } = await setUp();
    const breaker = member.breaker();

    orders(FORCED);
    orders({ ...FORCED, state: 'disabled' });
    const states = [breaker.state];
    breaker.forceOpen();
    orders({ ...FORCED, state: 'disabled', reason: 'again' });
    states.push(breaker.state);

    expect(states).toEqual(['disabled', 'forcedOpen']);
  });

  it('is obeyed by every key of a breaker', async () => {
    const { member, orders } = await setUp();
    const named = member.named('payments', { key: (key: string) => key });
    named.select({ args: ['a'] });

    orders(FORCED);

    expect(named.breaker('a')?.state).toBe('forcedOpen');
    expect(named.select({ args: ['b'] }).machine.recorded).toBe('forcedOpen');
  });

  it.each(['{', '7', '{"state":"open"}', '{"state":"normal","reason":"r","author":"a","until":1}'])(
    'is none where %s stands, which is logged',
    async (text) => {
      const { etcd, member, orders } = await setUp();
      const breaker = member.breaker();
      orders(FORCED);

      etcd.write(KEY, text);

      expect(breaker.state).toBe('closed');
      expect(member.lines).toEqual([`warn: ${KEY} in etcd holds no command, and none is in force`]);
    },
  );

  it('ends with its key and not by the clock of this machine, while etcd is heard of', async () => {
    const { member, orders, clock } = await setUp();
    const breaker = member.breaker();
    orders(FORCED);

    await clock.advance(120_000);

    expect(breaker.state).toBe('forcedOpen');
  });

  it('ends at its moment while nothing is heard of etcd', async () => {
    const { etcd, member, orders, clock } = await setUp();
    const breaker = member.breaker();
    orders(FORCED);
    etcd.away = 'refuses';
    etcd.disconnect();
    await settle();

    await clock.advance(59_999);
    const before = breaker.state;
    await clock.advance(1);

    expect([before, breaker.state]).toEqual(['forcedOpen', 'closed']);
  });
});

describe('a start without etcd', () => {
  it.each(['refuses', 'hangs'] as const)('obeys what the disk holds until it ends, when etcd %s', async (away) => {
    const cacheDir = await folder();
    const before = await setUp({ cacheDir });
    before.orders(FORCED);
    before.orders({ ...FORCED, until: NOW - 1 }, 'bulwark/commands/old');
    await before.part.close();
    const etcd = new FakeEtcd();
    etcd.away = away;
    const member = new FleetMember(etcd, { cacheDir });
    const part = new CommandsPart(member.surroundings);

    const started = part.start();
    await expect.poll(async () => (await member.clock.advance(100), member.breaker().state)).toBe('forcedOpen');
    await member.clock.advance(1_500);
    await started;

    expect(member.breaker('old').state).toBe('closed');
    await member.clock.advance(60_000);
    expect(member.breaker().state).toBe('closed');
    if (away === 'refuses') await part.close();
  });

  it('lets etcd go before the disk once it answers, and keeps what etcd says', async () => {
    const cacheDir = await folder();
    await writeFile(
      fileIn(cacheDir),
      JSON.stringify({ prefix: 'bulwark/', commands: { payments: FORCED, orders: FORCED } }),
    );
    const etcd = new FakeEtcd();
    etcd.write('bulwark/commands/orders', JSON.stringify({ ...FORCED, state: 'disabled' }));

    const { member, part } = await setUp({ etcd, cacheDir });

    expect([member.breaker().state, member.breaker('orders').state]).toEqual(['closed', 'disabled']);
    await part.close();
    expect(JSON.parse(await readFile(fileIn(cacheDir), 'utf8'))).toEqual({
      prefix: 'bulwark/',
      commands: { orders: { ...FORCED, state: 'disabled' } },
    });
  });

  it.each(['', '{"prefix":"bulwark/","commands":[]}', `{"prefix":"other/","commands":{"payments":{}}}`])(
    'is none the worse for a disk that holds %s',
    async (text) => {
      const cacheDir = await folder();
      await writeFile(fileIn(cacheDir), text);

      const { member } = await setUp({ cacheDir });

      expect(member.breaker().state).toBe('closed');
    },
  );

  it('goes on where the folder cannot be written, and says so', async () => {
    const cacheDir = join(await folder(), 'file');
    await writeFile(cacheDir, '');
    const { member, part, orders } = await setUp({ cacheDir });

    orders(FORCED);

    expect(member.breaker().state).toBe('forcedOpen');
    await part.close();
    expect(member.lines[0]).toMatch(`warn: commands of operators could not be kept in ${cacheDir}`);
  });
});

describe('a reset for all processes', () => {
  const RESET = JSON.stringify({ count: 1, author: 'ann', reason: 'mended' });

  it('closes a breaker where it is seen, and not where it was there before', async () => {
    const etcd = new FakeEtcd();
    etcd.write('bulwark/resets/payments', RESET);
    const { member } = await setUp({ etcd });
    const breaker = member.breaker('payments', { volumeThreshold: 1 });
    await member.fail(breaker);
    const before = breaker.state;

    etcd.write('bulwark/resets/payments', RESET);

    expect([before, breaker.state]).toEqual(['open', 'closed']);
    expect(member.told.at(-1)).toMatchObject({ to: 'closed', reason: 'reset in all processes by ann: mended' });
  });

  it('leaves what is ordered as it is', async () => {
    const { etcd, member, orders } = await setUp();
    const [byHand, byCommand] = [member.breaker('by-hand'), member.breaker('payments')];
    byHand.forceOpen();
    orders(FORCED);

    etcd.write('bulwark/resets/by-hand', RESET);
    etcd.write('bulwark/resets/payments', '7');

    expect([byHand.state, byCommand.state]).toEqual(['forcedOpen', 'forcedOpen']);
  });
});
