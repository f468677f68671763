import { GRPCDeadlineExceededError, GRPCInvalidArgumentError, GRPCUnavailableError } from 'etcd3';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Member } from '../../../../../lib/cluster/etcd/data/member.js';
import { Members } from '../../../../../lib/cluster/etcd/data/members.js';
import { TimeBudget } from '../../../../../lib/cluster/etcd/data/time-budget.js';

const TRY_MS = 1_000;
const down = new GRPCUnavailableError('down');

/** Three members, who was asked, and how often they were looked for; `looked` says which of them answer then. */
function setUp(answer: (member: number, tries: number) => unknown, looked: (member: number) => boolean = () => true) {
  const asked: number[] = [];
  const scene = { looks: 0, pauses: [] as number[] };
  const three = [0, 1, 2].map(
    (name) =>
      ({
        complaints: async () => {
          scene.looks += 1;
          if (!looked(name)) throw down;
          return [];
        },
      }) as unknown as Member,
  );
  const members = new Members(three, TRY_MS, (ms) => {
    scene.pauses.push(ms);
    return nextTurn();
  });
  const request = async (member: Member): Promise<unknown> => {
    asked.push(three.indexOf(member));
    const result = answer(three.indexOf(member), asked.length);
    if (result instanceof Error) throw result;
    return result;
  };
  return { members, asked, request, scene };
}

describe('members of etcd', () => {
  it('are asked one and the same, while that one answers', async () => {
    const { members, asked, request } = setUp(() => 'yes');
    for (let i = 0; i < 5; i++) expect(await members.ask(new TimeBudget(100), request)).toBe('yes');

    expect(new Set(asked).size).toBe(1);
  });

  it('are left for good when they do not answer, by many requests at once as by one', async () => {
    const { members, asked, request } = setUp((_, tries) => (tries <= 10 ? down : 'yes'));
    await Promise.all(Array.from({ length: 10 }, () => members.ask(new TimeBudget(1_000), request)));
    await members.ask(new TimeBudget(100), request);

    const [first = 0] = asked;
    expect(asked).toEqual([...Array<number>(10).fill(first), ...Array<number>(11).fill((first + 1) % 3)]);
  });

  it('are all asked, again and again, until one answers', async () => {
    const { members, asked, request, scene } = setUp((_, tries) => (tries < 7 ? down : 'yes'));

    expect(await members.ask(new TimeBudget(5_000), request)).toBe('yes');
    expect(new Set(asked).size).toBe(3);
    expect(scene.pauses).toEqual([100, 100]);
  });

  it('are asked no more when the time is over, or the caller has gone', async () => {
    const { members, asked, request, scene } = setUp(
      () => down,
      () => false,
    );
    await expect(members.ask(new TimeBudget(500), request)).rejects.toBe(down);
    expect(asked.length).toBe(3);
    expect(scene.pauses.slice(0, 6)).toEqual([100, 200, 400, 800, 1_000, 1_000]);
    const controller = new AbortController();
    const gone = members.ask(new TimeBudget(60_000, controller.signal), request);
    controller.abort();

    await expect(gone).rejects.toThrow();
    await nextTurn();
    await nextTurn();
    const { looks } = scene;
    await nextTurn();
    await nextTurn();
    expect(scene.looks).toBe(looks);
  });

  it('are looked for once, for all who wait, where none answers', async () => {
    let isUp = false;
    const { members, asked, request, scene } = setUp(
      () => (isUp ? 'yes' : down),
      (member) => isUp && member === 2,
    );
    const first = members.ask(new TimeBudget(60_000), request);
    await expect.poll(() => scene.looks).toBeGreaterThan(3);
    const many = Array.from({ length: 100 }, () => members.ask(new TimeBudget(60_000), request));
    await nextTurn();
    isUp = true;

    expect(new Set(await Promise.all([first, ...many]))).toEqual(new Set(['yes']));
    expect(scene.looks).toBe(3 * scene.pauses.length);
    expect(asked.slice(3)).toEqual(Array<number>(101).fill(2));
  });

  it('are not asked twice what must not be repeated', async () => {
    const late = new GRPCDeadlineExceededError('late');
    const { members, asked, request } = setUp((_, tries) => (tries === 1 ? down : late));

    await expect(members.ask(new TimeBudget(5_000), request, (error) => error === down)).rejects.toBe(late);
    expect(asked.length).toBe(2);
  });

  it('are believed in what they refuse', async () => {
    const refusal = new GRPCInvalidArgumentError('no');
    const { members, asked, request } = setUp(() => refusal);

    await expect(members.ask(new TimeBudget(5_000), request)).rejects.toBe(refusal);
    expect(asked.length).toBe(1);
  });

  it('get no longer for one try than it may take, and than there is left', async () => {
    const { members } = setUp(() => 'yes');
    const given = (ms: number): Promise<number> => members.ask(new TimeBudget(ms), async (_, left) => left);

    expect(await given(60_000)).toBe(TRY_MS);
    expect(await given(500)).toBeLessThanOrEqual(500);
  });
});
