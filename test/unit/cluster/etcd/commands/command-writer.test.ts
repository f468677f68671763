import { describe, expect, it } from 'vitest';
import { CommandWriter, type CommandOptions } from '../../../../../lib/cluster/etcd/commands/command-writer.js';
import { FakeEtcd } from '../../../../support/fake-etcd.js';
import { errorOf } from '../../../../support/settle.js';

const NOW = 1_700_000_000_000;
const KEY = 'bulwark/commands/payments';
const ORDER = { state: 'forcedOpen', reason: 'bank moves', author: 'ann' } as const;

function setUp() {
  const etcd = new FakeEtcd();
  const writer = new CommandWriter(etcd.client, 'bulwark/', () => NOW);
  const stored = (key = KEY): unknown => JSON.parse(etcd.entries.get(key)?.value ?? 'null');
  return { etcd, writer, stored };
}

describe('a command', () => {
  it('is one key, on a lease of a quarter of an hour', async () => {
    const { etcd, writer, stored } = setUp();

    await writer.command('payments', ORDER);

    expect(stored()).toEqual({ ...ORDER, until: NOW + 900_000 });
    expect(etcd.leases).toEqual([900]);
    expect(etcd.entries.get(KEY)?.lease).toBe('1');
  });

  it('takes the place of the one before, on another lease, and lasts as long as it says', async () => {
    const { etcd, writer, stored } = setUp();
    await writer.command('payments', ORDER);

    await writer.command('payments', { ...ORDER, state: 'disabled', for: 86_400_000 });

    expect(stored()).toMatchObject({ state: 'disabled', until: NOW + 86_400_000 });
    expect(etcd.entries.get(KEY)?.lease).toBe('2');
    expect(await writer.list()).toEqual(new Map([['payments', stored()]]));
  });

  it("is taken back by 'normal', also where there is none", async () => {
    const { etcd, writer } = setUp();
    await writer.command('payments', ORDER);

    await writer.command('payments', { ...ORDER, state: 'normal' });
    await writer.command('payments', { ...ORDER, state: 'normal' });

    expect(etcd.entries.size).toBe(0);
  });

  it.each([
    ['a state', { ...ORDER, state: 'open' }],
    ['a reason', { ...ORDER, reason: '' }],
    ['an author', { state: 'disabled', reason: 'r' }],
    ['a duration', { ...ORDER, for: 999 }],
    ['a duration', { ...ORDER, for: 86_400_001 }],
    ['an option', { ...ORDER, until: 7 }],
  ])('is refused without %s that is right', async (_, options) => {
    const { etcd, writer } = setUp();

    const error = await errorOf(writer.command('payments', options as CommandOptions));

    expect(error.message).toMatch("EtcdService.command('payments')");
    expect(etcd.entries.size).toBe(0);
  });

  it('fails as etcd does, and is sent once', async () => {
    const { etcd, writer } = setUp();
    etcd.away = 'refuses';

    expect((await errorOf(writer.command('payments', ORDER))).message).toBe('no member answers');
    expect(etcd.puts).toBe(0);
  });
});

describe('a reset', () => {
  it('counts on', async () => {
    const { writer, stored } = setUp();

    for (let count = 1; count <= 3; count++) {
      await writer.reset('payments', { author: 'ann', reason: 'mended' });
      expect(stored('bulwark/resets/payments')).toEqual({ count, author: 'ann', reason: 'mended', at: NOW });
    }
  });

  it('needs a name, and somebody who answers for it', async () => {
    const { writer } = setUp();

    expect((await errorOf(writer.reset('', { author: 'ann', reason: 'r' }))).message).toMatch(
      'the name of the breaker',
    );
    expect((await errorOf(writer.reset('a', { author: 'ann' } as never))).message).toMatch("option 'reason'");
  });
});
