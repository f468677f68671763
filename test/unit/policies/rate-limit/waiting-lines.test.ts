import { describe, expect, it } from 'vitest';
import { Bucket } from '../../../../lib/policies/rate-limit/bucket.js';
import { resolveRateLimit, type RateLimitOptions } from '../../../../lib/policies/rate-limit/rate-limit.options.js';
import { Rate } from '../../../../lib/policies/rate-limit/rate.js';
import { WaitingLines, type InLine } from '../../../../lib/policies/rate-limit/waiting-lines.js';
import { VirtualClock } from '../../../support/virtual-clock.js';

/** Lines of buckets of 10/s, spaced, and calls that note what becomes of them. */
function setUp(options: RateLimitOptions = {}) {
  const clock = new VirtualClock();
  const start = clock.now();
  const lines = new WaitingLines(clock);
  const events: [string, string, number][] = [];
  const resolved = resolveRateLimit('test', { limit: 10, per: 1_000, onLimit: 'queue', ...options });
  const bucketOf = (): Bucket => {
    const bucket = new Bucket(Rate.of(resolved));
    bucket.settle(start);
    bucket.take(1);
    return bucket;
  };
  /** A call in the line of a bucket, which leaves it as its turn comes. */
  const wait = (name: string, bucket: Bucket, { cost = 1, waits = Infinity, fails = false } = {}): InLine => {
    const note = (what: string): void => {
      lines.leave(call);
      events.push([name, what, clock.now() - start]);
    };
    const call: InLine = {
      wanted: { bucket, cost, since: clock.now(), boundMs: waits, latest: clock.now() + waits, metricsOnly: false },
      admit: () => {
        note('begun');
        if (fails) throw new Error('no');
      },
      tooLate: (turnAt) => note(`too late for ${turnAt - start}`),
    };
    lines.join(call);
    return call;
  };
  return { clock, lines, events, resolved, bucketOf, wait };
}

describe('WaitingLines', () => {
  it('has one timer, for the first of all turns', async () => {
    const { clock, lines, events, bucketOf, wait } = setUp();
    const dear = bucketOf();
    dear.take(4);
    wait('later', dear);
    expect(clock.nextTimerIn).toBe(500);

    wait('sooner', bucketOf());
    expect([clock.pending, clock.nextTimerIn, clock.timersMade]).toEqual([1, 100, 2]);
    wait('last', dear);
    expect([clock.pending, clock.timersMade, lines.size]).toEqual([1, 2, 3]);
    await clock.advance(1_000);

    expect(events).toEqual([
      ['sooner', 'begun', 100],
      ['later', 'begun', 500],
      ['last', 'begun', 600],
    ]);
    expect([clock.pending, clock.timersMade, lines.size]).toEqual([0, 4, 0]);
  });

  it('wakes in time for a turn within the same millisecond, and never at once', async () => {
    const { clock, events, bucketOf, wait } = setUp({ limit: 4_000 });
    const bucket = bucketOf();
    wait('a', bucket);

    expect(clock.nextTimerIn).toBe(1);
    await clock.advance(1);

    expect(events).toEqual([['a', 'begun', 1]]);
  });

  it('waits in steps for a turn that is further away than a timer can be', async () => {
    const { clock, events, bucketOf, wait } = setUp({ limit: 1, per: 2 ** 31 - 1, burst: 3 });
    const bucket = bucketOf();
    bucket.take(3);
    wait('far', bucket);

    expect(clock.nextTimerIn).toBe(2 ** 31 - 1);
    await clock.advance(2 ** 31 - 1);
    expect(events).toEqual([]);
    await clock.advance(2 ** 31 - 1);

    expect(events).toEqual([['far', 'begun', 2 * (2 ** 31 - 1)]]);
  });

  it('serves all whose turn has come when its timer is late, the others in time', async () => {
    const { clock, events, bucketOf, wait } = setUp();
    const [one, other] = [bucketOf(), bucketOf()];
    wait('a', one);
    other.take(1);
    wait('b', other);
    wait('c', one);

    clock.block(250);
    clock.fireDueTimers();
    expect(events).toEqual([
      ['a', 'begun', 250],
      ['b', 'begun', 250],
    ]);
    await clock.advance(100);

    expect(events[2]).toEqual(['c', 'begun', 330]);
  });

  it('turns those away whose turn comes too late, when it knows', async () => {
    const { clock, lines, events, bucketOf, wait } = setUp({ cost: () => 1 });
    const bucket = bucketOf();
    wait('first', bucket, { waits: 100 });
    wait('short', bucket, { waits: 210 });
    wait('long', bucket);

    clock.block(130);
    clock.fireDueTimers();
    await clock.advance(200);

    expect(events).toEqual([
      ['first', 'too late for 130', 130],
      ['short', 'begun', 130],
      ['long', 'begun', 230],
    ]);
    expect([lines.size, clock.pending]).toEqual([0, 0]);
  });

  it('lets the next move up when one leaves, and minds nobody who is not there', async () => {
    const { clock, lines, events, bucketOf, wait } = setUp();
    const bucket = bucketOf();
    const first = wait('first', bucket, { cost: 3 });
    wait('second', bucket);

    lines.leave(first);
    lines.leave(first);
    expect([lines.size, bucket.waiting]).toEqual([1, 1]);
    await clock.advance(100);

    expect(events).toEqual([['second', 'begun', 100]]);
    lines.leave(first);
    expect([lines.size, bucket.waiting, clock.pending]).toEqual([0, 0, 0]);
  });

  it('wakes sooner when the dear one in front has left, and lets it be when it comes back later', async () => {
    const { clock, events, bucketOf, wait, lines } = setUp({ burst: 5 });
    const bucket = bucketOf();
    bucket.take(4);
    const dear = wait('dear', bucket, { cost: 5 });
    wait('cheap', bucket);
    expect(clock.nextTimerIn).toBe(500);

    lines.leave(dear);
    expect([clock.nextTimerIn, clock.pending]).toEqual([100, 1]);
    await clock.advance(100);

    expect(events).toEqual([['cheap', 'begun', 100]]);
  });

  it('lets all begin at once, each charged for, when nobody is to wait any longer', () => {
    const { clock, lines, events, bucketOf, wait } = setUp();
    const [one, other] = [bucketOf(), bucketOf()];
    for (const name of ['a', 'b']) wait(name, one);
    wait('c', other, { cost: 2 });

    lines.admitAll();

    expect(events.map(([name]) => name)).toEqual(['a', 'b', 'c']);
    expect([one.paidAt, other.paidAt].map((at) => at - clock.now())).toEqual([300, 300]);
    expect([lines.size, clock.pending]).toEqual([0, 0]);
  });

  it('reckons turns anew when the rate has changed', async () => {
    const { clock, lines, events, resolved, bucketOf, wait } = setUp();
    const bucket = bucketOf();
    for (const name of ['a', 'b']) wait(name, bucket);
    bucket.reconfigure(Rate.of({ ...resolved, limit: 100 }), clock.now());

    lines.refresh();
    expect(clock.nextTimerIn).toBe(10);
    await clock.advance(20);
    expect(events).toEqual([
      ['a', 'begun', 10],
      ['b', 'begun', 20],
    ]);
    lines.refresh();

    expect(clock.pending).toBe(0);
  });

  it('does not wake for a turn that was put off, and only once for one that was moved', async () => {
    const { clock, lines, events, resolved, bucketOf, wait } = setUp();
    const bucket = bucketOf();
    wait('a', bucket);
    bucket.reconfigure(Rate.of({ ...resolved, limit: 5 }), clock.now());
    lines.refresh();

    await clock.advance(150);
    expect(events).toEqual([]);
    await clock.advance(50);

    expect(events).toEqual([['a', 'begun', 200]]);
    expect([clock.pending, lines.size]).toEqual([0, 0]);
  });

  it('goes on after a call that fails as its turn comes', async () => {
    const { clock, events, bucketOf, wait } = setUp();
    wait('failing', bucketOf(), { fails: true });
    wait('behind', bucketOf());
    clock.block(100);

    expect(() => clock.fireDueTimers()).toThrow('no');
    expect(clock.nextTimerIn).toBe(1);
    await clock.advance(1);

    expect(events).toEqual([
      ['failing', 'begun', 100],
      ['behind', 'begun', 101],
    ]);
  });
});
