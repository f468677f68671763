import { describe, expect, it } from 'vitest';
import { Board } from '../../../../../lib/observability/dashboard/page/src/model/board.js';
import { countStandings, listed } from '../../../../../lib/observability/dashboard/page/src/model/order.js';
import type { DashboardState, InstanceRow, Sample, Tick } from '../../../../../lib/observability/dashboard/protocol.js';

const row = (name: string, breaker = true): InstanceRow => ({
  name,
  guards: [`${name}.call`],
  policies: breaker ? ['circuitBreaker'] : ['retry'],
});

/** So many calls that went well, unless `more` says otherwise. */
function sample(index: number, calls: number, more: Partial<Record<number, Sample[number]>> = {}): Sample {
  const values: Sample[number][] = [index, 'closed', calls, 0, 0, 0, 5, 20, 40, 1, 0, 0, 0];
  for (const [place, value] of Object.entries(more)) values[Number(place)] = value as Sample[number];
  return values as unknown as Sample;
}

const state = (more: Partial<DashboardState> = {}): DashboardState => ({
  process: { id: 'one', host: 'host', pid: 1, version: '1.0.0', startedAt: 0 },
  now: 10_000,
  canAct: false,
  fleet: false,
  draining: false,
  instances: [row('a'), row('b'), row('c', false)],
  samples: [sample(0, 10), sample(1, 20), sample(2, 5, { 1: null, 11: null })],
  timeline: [],
  ingress: null,
  ...more,
});

const tick = (now: number, more: Partial<Tick> = {}): Tick => ({
  now,
  draining: false,
  added: [],
  samples: [],
  timeline: [],
  ingress: null,
  ...more,
});

const ALL = { text: '', standing: null };
const names = (board: Board, filter = ALL as Parameters<typeof listed>[1]): string[] =>
  listed(Object.values(board.instances), filter).map(({ name }) => name);

function started(more: Partial<DashboardState> = {}): Board {
  const board = new Board();
  board.start(state(more));
  return board;
}

describe('the board', () => {
  it('begins with what the app said first', () => {
    const board = started();

    expect(names(board)).toEqual(['b', 'a', 'c']);
    expect(board.byName('a')?.numbers).toMatchObject({ state: 'closed', calls: 10, p95: 20 });
    expect(board.byName('c')?.standing).toBe('ok');
  });

  it('changes only what a tick names, and tells which breakers changed their state', () => {
    const board = started();

    const changes = board.tick(tick(11_000, { samples: [sample(0, 3, { 1: 'open', 4: 3 })] }));

    expect(changes).toEqual([{ name: 'a', to: 'open' }]);
    expect(board.byName('a')?.numbers).toMatchObject({ state: 'open', refused: 3 });
    expect(board.byName('b')?.numbers.calls).toBe(20);
    expect(board.byName('b')?.trend.calls).toEqual([20, 20]);
  });

  it('takes rows that come later, and forgets those that they replace', () => {
    const board = started();

    board.tick(tick(11_000, { added: [{ ...row('a'), index: 3 }], samples: [sample(3, 7)] }));

    expect(names(board).sort()).toEqual(['a', 'b', 'c']);
    expect(board.byName('a')?.numbers.calls).toBe(7);
  });

  it('shows no instance whose breaker is gone', () => {
    const board = started();

    board.tick(tick(11_000, { samples: [sample(1, 0, { 1: null })] }));

    expect(names(board)).toEqual(['a', 'c']);
    expect([...countStandings(Object.values(board.instances)).values()].reduce((sum, one) => sum + one)).toBe(2);
  });

  it('fills the seconds of which nothing was said with what held before', () => {
    const board = started();

    board.tick(tick(14_000, { samples: [sample(0, 99)] }));

    expect(board.byName('a')?.trend.calls).toEqual([10, 10, 10, 10, 99]);
  });

  it('lets a failure grow old while the app says nothing', () => {
    const board = started({ samples: [sample(0, 10, { 3: 10 })] });
    board.tick(tick(11_000, { samples: [sample(0, 0)] }));
    expect(board.byName('a')?.standing).toBe('failing');

    for (let second = 12; second < 23; second++) board.idle(second * 1_000);

    expect(board.byName('a')?.standing).not.toBe('failing');
  });

  it('keeps the trends when the same process speaks again, and none of another', () => {
    const board = started();

    expect(board.start(state({ samples: [sample(0, 11)] }))).toBe(false);
    expect(board.byName('a')?.trend.calls).toEqual([10, 11]);

    const other = { ...state().process, id: 'other' };
    expect(board.start(state({ process: other, samples: [sample(0, 12)] }))).toBe(true);
    expect(board.byName('a')?.trend.calls).toEqual([12]);
  });

  it('replaces an entry of the timeline that happened again', () => {
    const entry = { id: 1, at: 1, type: 'shed', name: 'a', policy: 'p', text: 't', level: 'warn', repeats: 0 } as const;
    const board = started({ timeline: [entry] });

    board.tick(
      tick(11_000, {
        timeline: [
          { ...entry, repeats: 4 },
          { ...entry, id: 2, at: 2 },
        ],
      }),
    );

    expect(board.timeline.map(({ id, repeats }) => [id, repeats])).toEqual([
      [2, 0],
      [1, 4],
    ]);
  });
});

it('finds the instance of a key', () => {
  const board = started({ instances: [row('a'), row('list[0]'), row('c', false)] });

  expect(board.ownerOf('a')?.name).toBe('a');
  expect(board.ownerOf('a[blue]')?.name).toBe('a');
  expect(board.ownerOf('a[x[0]]')?.name).toBe('a');
  expect(board.ownerOf('list[0][blue]')?.name).toBe('list[0]');
  expect(board.ownerOf('etcd')).toBeUndefined();
});

describe('the order', () => {
  it('has trouble first, in the order in which it hurts, then traffic', () => {
    const board = started({
      instances: ['idle', 'busy', 'queueing', 'failing', 'half', 'open', 'few'].map((name) => row(name)),
      samples: [
        sample(0, 0, { 9: 0 }),
        sample(1, 90),
        sample(2, 1, { 10: 3 }),
        sample(3, 10, { 3: 2 }),
        sample(4, 1, { 1: 'halfOpen' }),
        sample(5, 1, { 1: 'open' }),
        sample(6, 4),
      ],
    });

    expect(names(board)).toEqual(['open', 'half', 'failing', 'queueing', 'busy', 'few', 'idle']);
  });

  it('lifts what gets worse at once, and lowers what gets better after some calm seconds', () => {
    const board = started();
    board.tick(tick(11_000, { samples: [sample(0, 1, { 1: 'open' })] }));
    expect(names(board)[0]).toBe('a');

    board.tick(tick(12_000, { samples: [sample(0, 1)] }));
    expect(names(board)[0]).toBe('a');

    for (let second = 13; second < 18; second++) board.idle(second * 1_000);
    expect(names(board)[0]).toBe('b');
  });

  it('lowers nothing while somebody is about to choose a row', () => {
    const board = started();
    board.tick(tick(11_000, { samples: [sample(0, 1, { 1: 'open' })] }), true);
    board.tick(tick(12_000, { samples: [sample(0, 1)] }), true);
    for (let second = 13; second < 40; second++) board.tick(tick(second * 1_000), true);

    expect(names(board)[0]).toBe('a');
  });

  it('finds instances by all words, in names, guards, policies and states', () => {
    const board = started();
    board.tick(tick(11_000, { samples: [sample(0, 1, { 1: 'open' })] }));

    expect(names(board, { text: 'RETRY', standing: null })).toEqual(['c']);
    expect(names(board, { text: 'call open', standing: null })).toEqual(['a']);
    expect(names(board, { text: '', standing: 'closed' })).toEqual(['b']);
    expect(names(board, { text: 'nothing', standing: null })).toEqual([]);
  });
});
