import { describe, expect, it } from 'vitest';
import { LoopCap } from '../../../../lib/policies/system-protection/loop-cap.js';

/** A cap of loop delays above 50 ms, whose delay the test says, looked at every 200 ms. */
function setUp(limitMs: number | undefined = 50) {
  const loop = { delayMs: 0, reads: 0, read: () => (loop.reads++, loop.delayMs) };
  const cap = new LoopCap(loop, limitMs, 1_000);
  let now = 1_000;
  /** What the next look makes of a delay, with so many in flight. */
  const look = (delayMs: number, inFlight: number): number => {
    loop.delayMs = delayMs;
    now += 200;
    return cap.at(now, inFlight);
  };
  return { loop, cap, look };
}

describe('LoopCap', () => {
  it('looks every 200 ms, and no sooner', () => {
    const { loop, cap } = setUp();
    loop.delayMs = 7;

    expect([cap.at(1_199, 5), loop.reads, cap.delayMs]).toEqual([Infinity, 0, 0]);
    expect([cap.at(1_200, 5), loop.reads, cap.delayMs]).toEqual([Infinity, 1, 7]);
    cap.at(1_399, 5);
    expect(loop.reads).toBe(1);
    cap.at(1_400, 5);

    expect(loop.reads).toBe(2);
  });

  it('only measures where nothing is to be limited', () => {
    const loop = { read: () => 10_000 };
    const cap = new LoopCap(loop, undefined, 0);

    expect([cap.at(200, 100), cap.at(400, 100), cap.at(600, 100)]).toEqual([Infinity, Infinity, Infinity]);
    expect(cap.delayMs).toBe(10_000);
  });

  it('takes three tenths of what was in flight at most, from the second bad look on', () => {
    const { look } = setUp();

    expect(look(51, 100)).toBe(Infinity);
    expect(look(51, 100)).toBeCloseTo(70, 9);
    expect(look(51, 60)).toBeCloseTo(49, 9);
    expect(look(51, 20)).toBeCloseTo(34.3, 9);
    expect(look(51, 20)).toBeCloseTo(14, 9);
  });

  it('minds a delay at the limit as little as one that is bad once', () => {
    const { look } = setUp();

    expect([look(50, 100), look(50, 100), look(51, 100), look(50, 100), look(51, 100)]).toEqual(
      new Array(5).fill(Infinity),
    );
  });

  it('takes into account what was in flight between two looks', () => {
    const { cap, look } = setUp();
    look(51, 100);
    cap.at(1_300, 200);
    cap.at(1_350, 90);

    expect(look(51, 10)).toBeCloseTo(140, 9);
    expect(look(51, 10)).toBeCloseTo(7, 9);
  });

  it('lays late timers to four in flight and more, to fewer only once it is there', () => {
    const few = setUp();
    expect([few.look(99, 3), few.look(99, 3), few.look(99, 3)]).toEqual([Infinity, Infinity, Infinity]);

    const four = setUp();
    four.look(99, 4);
    expect(four.look(99, 4)).toBeCloseTo(2.8, 9);
    expect(four.look(99, 2)).toBeCloseTo(1.96, 9);
  });

  it('never lets in fewer than one', () => {
    const { look } = setUp();
    look(99, 4);

    expect([look(99, 1), look(99, 1), look(99, 0)]).toEqual([2.8, 1, 1]);
  });

  it('grows by a tenth and one at each good look, until it is twice what is in flight, then is gone', () => {
    const { look } = setUp();
    look(99, 100);
    expect(look(99, 100)).toBeCloseTo(70, 9);

    expect(look(5, 70)).toBeCloseTo(78, 9);
    expect(look(5, 70)).toBeCloseTo(86.8, 9);
    expect(look(5, 43)).toBeCloseTo(96.48, 9);
    // What was in flight at the last look, 43, still counts.
    expect(look(5, 40)).toBe(Infinity);
  });

  it('keeps it at twice and one', () => {
    const { look } = setUp();
    look(99, 10);
    expect(look(99, 10)).toBe(7);

    expect(look(5, 3)).toBeCloseTo(8.7, 9);
    // Twice three and one.
    expect(look(5, 3)).toBe(Infinity);
  });

  it('shrinks again at the second bad look after a good one', () => {
    const { look } = setUp();
    look(99, 100);
    look(99, 100);
    const good = look(5, 70);

    expect(look(99, 70)).toBe(good);
    expect(look(99, 70)).toBeCloseTo(49, 9);
  });
});
