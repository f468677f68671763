import { describe, expect, it } from 'vitest';
import {
  CIRCUIT_BREAKER_DEFAULTS,
  type CircuitBreakerOptions,
} from '../../../../../lib/policies/circuit-breaker/circuit-breaker.options.js';
import { StateMachine, type OrderedState } from '../../../../../lib/policies/circuit-breaker/state/state-machine.js';
import { TestEnvironment } from '../../../../support/test-environment.js';

const RESET = 30_000;
const HANGS = 5_000;

/** A machine that begins at 100 ms, and what it tells. */
function setUp(options: CircuitBreakerOptions = {}, ordered?: OrderedState) {
  const environment = new TestEnvironment(false);
  environment.chances = [0];
  const told: unknown[][] = [];
  const breaker = {
    place: 'payments',
    environment,
    options: { ...CIRCUIT_BREAKER_DEFAULTS, halfOpenMaxWait: HANGS, ...options },
    onTransition: (...change: unknown[]) => void told.push(change),
  };
  return { machine: new StateMachine(breaker, 100, ordered), told, breaker, environment };
}

/** One that opened at 1_000. */
function opened(options: CircuitBreakerOptions = {}) {
  const made = setUp(options);
  made.machine.trip(1_000, 'why', 0);
  return made;
}

/** One whose probe began at 32_000. */
function probing(options: CircuitBreakerOptions = {}) {
  const made = opened(options);
  made.machine.settle(32_000);
  expect(made.machine.admit(32_000)).toBe(true);
  return made;
}

describe('what the clock makes of a state, read at a moment', () => {
  const readAt = ({ machine }: ReturnType<typeof setUp>, now: number) => ({
    state: machine.stateAt(now),
    since: machine.sinceAt(now),
    timeToProbe: machine.timeToProbe(now),
  });

  it('closed stays as it is', () => {
    const made = setUp();

    expect(readAt(made, 500_000)).toEqual({ state: 'closed', since: 100, timeToProbe: undefined });
    expect(made.machine.nextTransitionAt).toBeUndefined();
  });

  it('open becomes half-open when the reset time is over', () => {
    const made = opened();

    expect(readAt(made, 30_999)).toEqual({ state: 'open', since: 1_000, timeToProbe: 1 });
    expect(readAt(made, 31_000)).toEqual({ state: 'halfOpen', since: 31_000, timeToProbe: 0 });
    expect(readAt(made, 99_000)).toEqual({ state: 'halfOpen', since: 31_000, timeToProbe: 0 });
    expect(made.machine.nextTransitionAt).toBe(31_000);
    expect(made.told).toEqual([['closed', 'open', 'why', 1_000]]);
  });

  it('half-open stays so without a probe', () => {
    const made = opened();
    made.machine.settle(32_000);

    expect(readAt(made, 500_000)).toEqual({ state: 'halfOpen', since: 31_000, timeToProbe: undefined });
    expect(made.machine.nextTransitionAt).toBeUndefined();
  });

  it('half-open becomes open when its probe hangs, and half-open again', () => {
    const made = probing();
    const hung = 32_000 + HANGS;

    expect(readAt(made, hung - 1)).toEqual({ state: 'halfOpen', since: 31_000, timeToProbe: undefined });
    expect(readAt(made, hung)).toEqual({ state: 'open', since: hung, timeToProbe: RESET });
    expect(readAt(made, hung + RESET - 1)).toEqual({ state: 'open', since: hung, timeToProbe: 1 });
    expect(readAt(made, hung + RESET)).toEqual({ state: 'halfOpen', since: hung + RESET, timeToProbe: 0 });
    expect(readAt(made, hung + 90_000)).toEqual({ state: 'halfOpen', since: hung + RESET, timeToProbe: 0 });
    expect(made.machine.nextTransitionAt).toBe(hung);
    expect(made.told).toHaveLength(2);
  });

  it('is recorded with the moments at which it came about', () => {
    const { machine, told } = probing();
    const hung = 32_000 + HANGS;
    told.length = 0;

    machine.settle(hung - 1);
    expect(told).toEqual([]);
    machine.settle(hung + 90_000);

    expect(told).toEqual([
      ['halfOpen', 'open', 'a probe gave no answer within 5000 ms', hung],
      ['open', 'halfOpen', 'the reset time is over', hung + RESET],
    ]);
    expect(machine.openings).toBe(2);
    expect(machine.admit(hung + 90_000)).toBe(true);
  });

  it('ordered knows no time to a probe', () => {
    const made = opened();
    made.machine.order('forcedOpen', 2_000, 'maintenance');

    expect(readAt(made, 99_000)).toEqual({ state: 'forcedOpen', since: 2_000, timeToProbe: undefined });
    expect(made.machine.nextTransitionAt).toBeUndefined();
  });
});

describe('the own state of a breaker', () => {
  it('is what it shows, where nothing is ordered', () => {
    const { machine } = opened();

    expect(machine.ownAt(20_000)).toEqual({ state: 'open', reason: 'why', since: 1_000, timeToProbe: 11_000 });
    expect(machine.ownAt(31_000)).toEqual({ state: 'halfOpen', reason: 'why', since: 31_000, timeToProbe: 0 });
  });

  it('goes on in its own time under an order', () => {
    const { machine } = opened();
    machine.order('disabled', 2_000, 'off');

    expect(machine.ownAt(30_999)).toEqual({ state: 'open', reason: 'why', since: 1_000, timeToProbe: 1 });
    expect(machine.ownAt(31_000)).toEqual({ state: 'halfOpen', reason: 'why', since: 1_000, timeToProbe: 0 });
    expect(machine.ownAt(99_000)).toMatchObject({ state: 'halfOpen', timeToProbe: 0 });
  });

  it('is closed under an order that found it closed, and has no time', () => {
    const { machine } = setUp({}, 'disabled');

    expect(machine.ownAt(99_000)).toEqual({ state: 'closed', reason: '', since: 100, timeToProbe: undefined });
  });
});

describe('an order', () => {
  it('may be there from the beginning, without a change that is told', () => {
    const { machine, told } = setUp({}, 'forcedOpen');

    expect([machine.recorded, machine.admit(200), machine.steady]).toEqual(['forcedOpen', false, false]);
    machine.release(300);
    expect(machine.admit(300)).toBe(true);
    expect(told).toEqual([['forcedOpen', 'closed', '', 300]]);
  });

  it('lets every call pass, or none', () => {
    const { machine } = opened();
    machine.order('disabled', 2_000, 'off');
    const passes = [machine.admit(2_000)];
    machine.order('forcedOpen', 3_000, 'on');

    expect([...passes, machine.admit(3_000)]).toEqual([true, false]);
    machine.settle(99_000);
    expect(machine.recorded).toBe('forcedOpen');
  });

  it('once over leaves an open breaker what it would be without', () => {
    const [before, after] = [opened(), opened()];
    for (const { machine } of [before, after]) machine.order('forcedOpen', 2_000, 'on');

    before.machine.release(30_999, 'taken back');
    after.machine.release(31_000);

    expect(before.told.at(-1)).toEqual(['forcedOpen', 'open', 'taken back', 30_999]);
    expect([before.machine.reason, before.machine.sinceAt(30_999), before.machine.timeToProbe(30_999)]).toEqual([
      'why',
      1_000,
      1,
    ]);
    expect(after.told.at(-1)).toEqual(['forcedOpen', 'halfOpen', 'why', 31_000]);
    expect(after.machine.sinceAt(31_000)).toBe(31_000);
    expect(after.machine.admit(31_000)).toBe(true);
  });

  it('once over leaves a closed breaker closed since it was, and does nothing twice', () => {
    const { machine, told } = setUp();
    machine.order('disabled', 2_000, 'off');

    machine.release(3_000);
    machine.release(4_000);

    expect(told.at(-1)).toEqual(['disabled', 'closed', '', 3_000]);
    expect([told.length, machine.sinceAt(4_000)]).toEqual([2, 100]);
  });

  it('over a half-open breaker leaves it half-open, and judges its probes no more', () => {
    const { machine } = probing();
    machine.order('disabled', 33_000, 'off');

    machine.probeSucceeded(32_000, 33_500);
    expect(machine.probeFailed(32_000, 33_500, 'late')).toBeUndefined();
    expect(machine.ownAt(34_000)).toEqual({
      state: 'halfOpen',
      reason: 'the reset time is over',
      since: 31_000,
      timeToProbe: 0,
    });
    machine.release(90_000);
    expect([machine.recorded, machine.admit(90_000)]).toEqual(['halfOpen', true]);
  });

  it('finds first what the clock has brought about', () => {
    const { machine, told } = opened();

    machine.order('forcedOpen', 40_000, 'on');

    expect(told.slice(1)).toEqual([
      ['open', 'halfOpen', 'the reset time is over', 31_000],
      ['halfOpen', 'forcedOpen', 'on', 40_000],
    ]);
  });

  it('is not told again, when it is only given again; each counts as a state of its own', () => {
    const { machine, told } = setUp();
    machine.order('forcedOpen', 2_000, 'on');
    const { epoch } = machine;

    machine.order('forcedOpen', 3_000, 'still on');

    expect([told.length, machine.epoch - epoch, machine.reason]).toEqual([1, 1, 'still on']);
  });

  it('began elsewhere, if it is a forced opening', () => {
    const [forced, disabled] = [setUp({}, 'forcedOpen'), setUp({}, 'disabled')];
    for (const { machine } of [forced, disabled]) machine.backdate(50);

    expect([forced.machine.sinceAt(200), disabled.machine.sinceAt(200)]).toEqual([50, 100]);
  });

  it('hides a closing, which is there after it', () => {
    const { machine, told } = opened();
    machine.order('forcedOpen', 2_000, 'on');
    machine.close(3_000, 'closed by hand');
    expect([machine.recorded, machine.openings]).toEqual(['forcedOpen', 0]);
    expect(machine.ownAt(3_000)).toMatchObject({ state: 'closed', since: 3_000, reason: 'closed by hand' });
    machine.release(4_000);

    expect(told.at(-1)).toEqual(['forcedOpen', 'closed', 'closed by hand', 4_000]);
    expect(machine.sinceAt(4_000)).toBe(3_000);
  });
});

describe('a state that is taken on from elsewhere', () => {
  it('open waits for what is left, the reset time at most', () => {
    for (const [left, waits] of [
      [400, 400],
      [90_000, RESET],
    ] as const) {
      const { machine, told } = setUp();
      machine.restore('open', 'as before', left, 3, 10_000, 7_000);

      expect([machine.timeToProbe(10_000), machine.sinceAt(10_000), machine.openings]).toEqual([waits, 7_000, 3]);
      expect(told).toEqual([['closed', 'open', 'as before', 10_000]]);
    }
  });

  it('open waits as long as its openings make a backoff', () => {
    const { machine } = setUp({ resetTimeout: (opening) => opening * 100 });
    machine.restore('open', 'as before', 90_000, 3, 10_000, 10_000);
    expect(machine.timeToProbe(10_000)).toBe(300);
    machine.restore('open', 'as before', 90_000, 0, 10_000, 10_000);

    expect(machine.timeToProbe(10_000)).toBe(100);
  });

  it('half-open may probe at once, closed counts its openings anew', () => {
    const halfOpen = setUp().machine;
    halfOpen.restore('halfOpen', 'as before', 9_000, 2, 10_000, 7_000);
    expect([halfOpen.recorded, halfOpen.stateAt(10_000), halfOpen.openFor]).toEqual(['open', 'halfOpen', 0]);
    expect(halfOpen.sinceAt(10_000)).toBe(10_000);
    const closed = opened().machine;
    closed.restore('closed', 'as before', 9_000, 0, 10_000, 7_000);

    expect([closed.recorded, closed.openings, closed.sinceAt(10_000), closed.openFor]).toEqual([
      'closed',
      0,
      10_000,
      0,
    ]);
  });

  it('shows after an order', () => {
    const { machine, told } = setUp({}, 'disabled');
    machine.restore('open', 'as before', 400, 3, 10_000, 7_000);
    expect([machine.recorded, told]).toEqual(['disabled', []]);
    machine.release(10_100);

    expect([machine.recorded, machine.timeToProbe(10_100), machine.sinceAt(10_100)]).toEqual(['open', 300, 7_000]);
  });

  it('has no recovery', () => {
    const { machine, environment } = probing({ recovery: { over: 10_000, from: 0.1 } });
    environment.chances = [0.999];
    machine.probeSucceeded(32_000, 32_000);
    expect(machine.admit(32_000)).toBe(false);
    machine.restore('closed', 'as before', 0, 0, 33_000, 33_000);

    expect([machine.steady, machine.admit(33_000)]).toEqual([true, true]);
  });
});

describe('a recovery', () => {
  const recovering = () => {
    const made = probing({ recovery: { over: 10_000, from: 0.2 } });
    made.machine.probeSucceeded(32_000, 40_000);
    return made;
  };

  it.each([
    [40_000, 0.199, true],
    [40_000, 0.2, false],
    [45_000, 0.599, true],
    [45_000, 0.601, false],
    [49_999, 0.99995, false],
    [50_000, 0.9999, true],
  ])('at %i with chance %d lets a call pass: %s', (now, chance, passes) => {
    const { machine, environment } = recovering();
    environment.chances = [chance];

    expect([machine.steady, machine.admit(now)]).toEqual([false, passes]);
    expect(machine.steady).toBe(now === 50_000);
  });

  it('is over for good when all pass', () => {
    const { machine, environment } = recovering();
    environment.chances = [0.9999];
    machine.admit(50_000);

    expect([machine.steady, machine.admit(40_000)]).toEqual([true, true]);
  });

  it('is none after a closing by hand, and none where options say so no more', () => {
    const byHand = recovering();
    byHand.machine.close(41_000, 'by hand');
    const without = recovering();
    Object.assign(without.breaker.options, { recovery: undefined });
    without.machine.reconfigured(41_000);

    expect([byHand.machine.steady, without.machine.steady]).toEqual([true, true]);
  });
});

describe('probes', () => {
  it('find room for calls that lie in them only while it is half-open', () => {
    const { machine } = opened();
    machine.allowNested();
    machine.settle(31_000);
    expect([machine.admit(31_000), machine.admit(31_000)]).toEqual([true, false]);
    machine.allowNested();

    expect(machine.admit(31_000)).toBe(true);
  });

  it('close it when all have succeeded, and say how many', () => {
    const { machine, told } = probing({ halfOpenCalls: 2 });
    machine.probeSucceeded(32_000, 33_000);
    expect(machine.recorded).toBe('halfOpen');
    expect(machine.admit(33_000)).toBe(true);
    machine.probeSucceeded(33_000, 34_000);

    expect(told.at(-1)).toEqual(['halfOpen', 'closed', '2 of 2 probes succeeded', 34_000]);
    expect([machine.openings, machine.steady]).toEqual([0, true]);
  });

  it('that fail say why it is to open; it opens by another word', () => {
    const { machine } = probing();

    expect(machine.probeFailed(32_000, 33_000, 'boom')).toBe('boom');
    expect(machine.recorded).toBe('halfOpen');
  });

  it('are judged by the options of now', () => {
    const more = probing({ halfOpenCalls: 2, halfOpenErrorThresholdPercentage: 50 });
    expect(more.machine.probeFailed(32_000, 33_000, 'boom')).toBeUndefined();
    Object.assign(more.breaker.options, { halfOpenErrorThresholdPercentage: 40 });
    more.machine.reconfigured(34_000);
    expect(more.told.at(-1)).toEqual(['halfOpen', 'open', '1 of 2 probes failed, limit 40 %: a probe failed', 34_000]);

    const fewer = probing({ halfOpenCalls: 2 });
    fewer.machine.probeSucceeded(32_000, 33_000);
    Object.assign(fewer.breaker.options, { halfOpenCalls: 1 });
    fewer.machine.reconfigured(34_000);
    expect(fewer.told.at(-1)).toEqual(['halfOpen', 'closed', '1 of 1 probes succeeded', 34_000]);
  });

  it('of one that is open are not judged by other options', () => {
    const { machine, told } = opened();
    machine.reconfigured(2_000);

    expect([machine.recorded, told.length]).toEqual(['open', 1]);
  });
});

describe('an opening', () => {
  it('lasts as long as the dependency asks for, where that is longer', () => {
    const [longer, shorter] = [setUp().machine, setUp().machine];
    longer.trip(1_000, 'why', 45_000);
    shorter.trip(1_000, 'why', 5_000);

    expect([longer.openFor, shorter.openFor]).toEqual([45_000, RESET]);
  });

  it('may be given another end, but not before its beginning, and only while it is open', () => {
    const { machine } = opened();
    machine.probeAt(4_000);
    expect([machine.openFor, machine.timeToProbe(3_000)]).toEqual([3_000, 1_000]);
    machine.probeAt(500);
    expect(machine.openFor).toBe(0);
    machine.settle(1_000);
    machine.probeAt(9_000);

    expect([machine.recorded, machine.openFor]).toEqual(['halfOpen', 0]);
  });

  it('is told once by each', () => {
    const { machine, told } = opened();
    const { epoch } = machine;
    machine.trip(2_000, 'again', 0);

    expect([told.length, machine.epoch - epoch, machine.openings, machine.reason]).toEqual([1, 1, 2, 'again']);
  });
});

describe('a machine that was shut down', () => {
  it('shows the state that it had, and enters no other', () => {
    const { machine, told } = opened();
    machine.shutDown(40_000);
    const before = told.length;

    machine.close(41_000, 'by hand');
    machine.trip(42_000, 'why', 0);
    machine.settle(99_000);

    expect([machine.recorded, machine.stateAt(99_000), machine.sinceAt(99_000)]).toEqual([
      'shutDown',
      'halfOpen',
      31_000,
    ]);
    expect([machine.admit(99_000), machine.steady, told.length - before]).toEqual([false, false, 0]);
    expect(machine.nextTransitionAt).toBeUndefined();
  });

  it('has no probes any more', () => {
    const { machine, told } = probing();
    machine.shutDown(33_000);
    told.length = 0;

    machine.probeSucceeded(32_000, 34_000);
    machine.settle(90_000);

    expect([told, machine.stateAt(90_000)]).toEqual([[], 'halfOpen']);
  });
});
