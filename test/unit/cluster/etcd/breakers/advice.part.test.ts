import { afterEach, describe, expect, it } from 'vitest';
import { AdvicePart } from '../../../../../lib/cluster/etcd/breakers/advice.part.js';
import type { AdviceMode } from '../../../../../lib/policies/circuit-breaker/advice.js';
import { FakeEtcd } from '../../../../support/fake-etcd.js';
import { FleetMember } from '../../../../support/fleet-member.js';
import { settle } from '../../../../support/settle.js';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
});

const TRIPPED = JSON.stringify({ open: ['payments'], called: ['payments'] });
const WELL = JSON.stringify({ open: [], called: ['payments'] });

interface Given {
  etcd?: FakeEtcd;
  random?: () => number;
  quorum?: number;
}

async function setUp(mode: AdviceMode, { etcd = new FakeEtcd(), random, quorum = 0.5 }: Given = {}) {
  const member = new FleetMember(etcd, { quorum }, random);
  const part = new AdvicePart(member.surroundings, mode);
  closing.push(async () => {
    etcd.away = undefined;
    await part.close();
  });
  part.start();
  await settle();
  const tells = (process: string, text: string): void => void etcd.write(`bulwark/trips/${process}`, text);
  const own = (): unknown => JSON.parse(etcd.entries.get('bulwark/trips/me')?.value ?? 'null');
  return { etcd, member, part, tells, own, clock: member.clock };
}

describe('a process that tells of its breakers', () => {
  it('names those that its own calls have opened, and those that it calls, on a lease', async () => {
    const { etcd, member, own, clock } = await setUp('follow');
    const breaker = member.breaker('payments', { volumeThreshold: 2 });
    member.breaker('idle');

    await member.fail(breaker, 2);
    await clock.advance(1_000);

    expect(own()).toEqual({ open: ['payments'], called: ['payments'] });
    expect(etcd.leases).toEqual([15]);
    expect(etcd.entries.get('bulwark/trips/me')?.lease).toBe('1');
  });

  it('tells of a breaker that opens, or closes, at once, where its last word is a second old', async () => {
    const { member, own, clock } = await setUp('follow');
    const breaker = member.breaker('payments', { volumeThreshold: 2, resetTimeout: 500 });
    await member.succeed(breaker);
    await clock.advance(2_500);

    await member.fail(breaker, 2);
    await clock.advance(1);
    const opened = own();
    await clock.advance(1_500);
    await member.succeed(breaker);
    await clock.advance(1);

    expect([opened, own()]).toMatchObject([{ open: ['payments'] }, { open: [] }]);
  });

  it('writes once a second at most, whatever happens', async () => {
    const { etcd, member, clock } = await setUp('advise');
    const breaker = member.breaker('payments', { volumeThreshold: 1, resetTimeout: 10 });

    for (let step = 0; step < 500; step++) {
      await (step % 2 === 0 ? member.fail(breaker) : member.succeed(breaker));
      await clock.advance(20);
    }

    expect(etcd.puts).toBeGreaterThan(5);
    expect(etcd.puts).toBeLessThanOrEqual(11);
  });

  it('says nothing of keys, of what advice has opened, or of what was steered', async () => {
    const { etcd, member, tells, clock } = await setUp('follow');
    const texts: string[] = [];
    for (const name of ['payments', 'forced']) member.breaker(name, { volumeThreshold: 1 });
    const keyed = member.breaker('keyed', { volumeThreshold: 1, key: (key: string) => key });
    tells('a', TRIPPED);
    tells('b', TRIPPED);
    expect(member.breaker('payments', { volumeThreshold: 1 }).state).toBe('open');
    member.breaker('forced', { volumeThreshold: 1 }).forceOpen();

    for (let second = 0; second < 120; second++) {
      await clock.advance(1_000);
      await member.fail(member.breaker('payments', { volumeThreshold: 1 }));
      await member.fail(keyed);
      texts.push(etcd.entries.get('bulwark/trips/me')?.value ?? '');
    }

    expect(texts.some((text) => text.includes('"called":["payments"'))).toBe(true);
    expect(texts.filter((text) => !text.startsWith('{"open":[],'))).toEqual([]);
    expect(texts.filter((text) => text.includes('keyed'))).toEqual([]);
  });

  it('leaves out what was called least recently, and says so once', async () => {
    const { etcd, member, own, clock } = await setUp('advise');
    const breakers = Array.from({ length: 1_300 }, (_, at) => member.breaker(`b${at}-${'x'.repeat(60)}`));
    for (const breaker of breakers.slice(0, 650)) await member.succeed(breaker);
    await clock.advance(3_000);
    for (const breaker of breakers.slice(650)) await member.succeed(breaker);

    await clock.advance(3_000);

    const { called } = own() as { called: string[] };
    expect(called.slice(0, 650).sort()).toEqual(
      breakers
        .slice(650)
        .map(({ name }) => name)
        .sort(),
    );
    expect(called.length).toBeGreaterThan(900);
    expect(Buffer.byteLength(etcd.entries.get('bulwark/trips/me')?.value ?? '')).toBeLessThanOrEqual(64 * 1024);
    expect(member.lines.filter((line) => line.includes('have no room'))).toHaveLength(1);
  });

  it('tells it anew when its key is gone', async () => {
    const { etcd, own, clock } = await setUp('advise');

    etcd.remove('bulwark/trips/me');
    await clock.advance(1_000);

    expect(own()).toEqual({ open: [], called: [] });
  });
});

describe('a process that hears of others', () => {
  it('goes by two of them at least, and by half of those that call', async () => {
    const { member, tells } = await setUp('follow');
    const breaker = member.breaker();
    const states: string[] = [];

    tells('a', TRIPPED);
    states.push(breaker.state);
    for (const process of ['b', 'c', 'd']) tells(process, WELL);
    tells('e', JSON.stringify({ open: ['payments'], called: [] }));
    states.push(breaker.state);
    tells('b', TRIPPED);
    states.push(breaker.state);

    expect(states).toEqual(['closed', 'closed', 'open']);
    expect(member.told.at(-1)).toMatchObject({
      type: 'stateChange',
      to: 'open',
      reason: 'advised by others: in 2 of 4 processes that call it their own calls have opened it',
    });
  });

  it('counts itself among those that call, if it does', async () => {
    const { member, tells, clock } = await setUp('follow', { quorum: 1 });
    const breaker = member.breaker();
    await member.succeed(breaker);
    await clock.advance(1_000);
    tells('a', TRIPPED);
    tells('b', TRIPPED);
    const called = breaker.state;

    await clock.advance(15_000);

    expect([called, breaker.state]).toEqual(['closed', 'open']);
  });

  it('advises a breaker that comes into being later, and those that it knew before', async () => {
    const etcd = new FakeEtcd();
    for (const process of ['a', 'b']) etcd.write(`bulwark/trips/${process}`, TRIPPED);
    const { member } = await setUp('follow', { etcd });

    expect(member.breaker().state).toBe('open');
  });

  it('probes at a moment of its own within a second, when another finds the dependency well', async () => {
    const { member, tells, clock } = await setUp('follow', { random: () => 0.4 });
    const breaker = member.breaker();
    tells('a', TRIPPED);
    tells('b', TRIPPED);

    tells('b', WELL);
    await clock.advance(399);
    const before = breaker.state;
    await clock.advance(1);

    expect([before, breaker.state]).toEqual(['open', 'halfOpen']);
  });

  it('closes nothing when the others are gone', async () => {
    const { etcd, member, tells, clock } = await setUp('follow');
    const breaker = member.breaker();
    tells('a', TRIPPED);
    tells('b', TRIPPED);

    for (const process of ['a', 'b']) etcd.remove(`bulwark/trips/${process}`);
    await clock.advance(29_000);

    expect(breaker.state).toBe('open');
  });

  it('decides by itself when etcd has been away for longer than a lease, and says so', async () => {
    const { etcd, member, tells, clock } = await setUp('advise');
    const breaker = member.breaker();
    tells('a', TRIPPED);
    tells('b', TRIPPED);
    etcd.away = 'refuses';
    etcd.disconnect();
    await settle();
    await clock.advance(14_000);
    await member.fail(breaker);
    const within = breaker.state;
    breaker.reset();

    await clock.advance(1_100);
    await member.fail(breaker);

    expect([within, breaker.state]).toEqual(['open', 'closed']);
    expect(member.told.filter(({ type }) => type === 'store')).toMatchObject([
      { name: 'etcd', store: 'etcd', up: false, reason: 'Error: no member answers' },
    ]);
  });
});

describe('a call', () => {
  it('waits for none of it, when no request to etcd ever ends', async () => {
    const etcd = new FakeEtcd();
    etcd.away = 'hangs';
    const member = new FleetMember(etcd);
    new AdvicePart(member.surroundings, 'follow').start();
    const breaker = member.breaker('payments', { volumeThreshold: 2 });

    await member.fail(breaker, 2);

    expect(breaker.state).toBe('open');
  });
});
