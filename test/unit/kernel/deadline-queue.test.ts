import { describe, expect, it } from 'vitest';
import { Deadline, DeadlineQueue } from '../../../lib/kernel/deadline-queue.js';
import { TestEnvironment } from '../../support/test-environment.js';

const MS = 100;

class Named extends Deadline {
  constructor(
    readonly name: string,
    private readonly onExpire: (name: string) => void,
  ) {
    super();
  }

  expire(): void {
    this.onExpire(this.name);
  }
}

function setUp({ keepsAlive = true } = {}) {
  const { clock, lifecycle } = new TestEnvironment();
  const queue = new DeadlineQueue(MS, clock, lifecycle, keepsAlive);
  const expired: string[] = [];
  /** @param then what its end does. */
  const add = (name: string, { since = clock.now(), then = (): void => undefined } = {}): Named => {
    const deadline = new Named(name, (one) => {
      expired.push(one);
      then();
    });
    queue.add(deadline, since);
    return deadline;
  };
  return { clock, lifecycle, queue, expired, add };
}

describe('DeadlineQueue', () => {
  it('ends a deadline when its time is over, and not sooner', async () => {
    const { clock, expired, add } = setUp();
    const deadline = add('a');

    await clock.advance(MS - 1);
    expect(expired).toEqual([]);
    await clock.advance(1);

    expect(expired).toEqual(['a']);
    expect(deadline.due).toBe(clock.now());
  });

  it('ends deadlines in the order in which they came, each at its time', async () => {
    const { clock, expired, add } = setUp();
    add('a');
    await clock.advance(30);
    add('b');
    add('c');

    await clock.advance(70);
    expect(expired).toEqual(['a']);
    await clock.advance(30);

    expect(expired).toEqual(['a', 'b', 'c']);
  });

  it('needs one timer for many deadlines', async () => {
    const { clock, queue, add } = setUp();
    const deadlines = Array.from({ length: 1_000 }, (_, index) => add(String(index)));

    expect(clock.pending).toBe(1);
    for (const deadline of deadlines) queue.remove(deadline);
    for (let index = 0; index < 1_000; index++) queue.remove(add('again'));

    expect(clock.timersMade).toBe(1);
  });

  it('does not end what was removed, wherever it stood', async () => {
    const { clock, queue, expired, add } = setUp();
    const [first, , middle, , last] = ['a', 'b', 'c', 'd', 'e'].map((name) => add(name)) as [
      Named,
      Named,
      Named,
      Named,
      Named,
    ];

    for (const deadline of [middle, first, last]) queue.remove(deadline);
    await clock.advance(MS);

    expect(expired).toEqual(['b', 'd']);
  });

  it('does nothing, when what is removed is not in it', async () => {
    const { clock, queue, expired, add } = setUp();
    const deadline = add('a');
    add('b');

    queue.remove(deadline);
    queue.remove(deadline);
    await clock.advance(MS);
    queue.remove(deadline);

    expect(expired).toEqual(['b']);
  });

  it('takes a deadline again that has left', async () => {
    const { clock, queue, expired, add } = setUp();
    const deadline = add('a');
    await clock.advance(60);

    queue.remove(deadline);
    queue.add(deadline, clock.now());
    await clock.advance(99);
    expect(expired).toEqual([]);
    await clock.advance(1);

    expect(expired).toEqual(['a']);
  });

  it('arms its timer anew for what came later', async () => {
    const { clock, queue, expired, add } = setUp();
    const first = add('a');
    await clock.advance(40);
    add('b');
    queue.remove(first);

    await clock.advance(60);
    expect(expired).toEqual([]);
    expect(clock.nextTimerIn).toBe(40);
    await clock.advance(40);

    expect(expired).toEqual(['b']);
  });

  it('takes a deadline that is added while others end', async () => {
    const { clock, expired, add } = setUp();
    add('first', { then: () => void add('second') });

    await clock.advance(MS);
    expect(clock.pending).toBe(1);
    await clock.advance(MS);

    expect(expired).toEqual(['first', 'second']);
  });

  it('removes a deadline that another one ends first', async () => {
    const { clock, queue, expired, add } = setUp();
    add('first', { then: () => queue.remove(second) });
    const second = add('second');

    await clock.advance(MS * 3);

    expect(expired).toEqual(['first']);
  });

  describe('and the life of the process', () => {
    it('keeps it alive only while a deadline is pending', () => {
      const { clock, queue, add } = setUp();

      const first = add('a');
      const second = add('b');
      expect(clock.keepingAlive).toBe(1);
      queue.remove(first);
      expect(clock.keepingAlive).toBe(1);
      queue.remove(second);
      expect([clock.keepingAlive, clock.pending]).toEqual([0, 1]);
      add('c');

      expect(clock.keepingAlive).toBe(1);
    });

    it('has no timer left, when the last deadline has ended', async () => {
      const { clock, add } = setUp();
      add('a');

      await clock.advance(MS);

      expect(clock.pending).toBe(0);
    });

    it('gives its timer up, when that fires with nothing pending', async () => {
      const { clock, queue, add } = setUp();
      queue.remove(add('a'));

      await clock.advance(MS);

      expect(clock.pending).toBe(0);
    });

    it('never keeps it alive, when it is told not to', async () => {
      const { clock, expired, queue, add } = setUp({ keepsAlive: false });

      const first = add('a');
      expect(clock.keepingAlive).toBe(0);
      queue.remove(first);
      add('b');
      expect(clock.keepingAlive).toBe(0);
      await clock.advance(MS);

      expect(expired).toEqual(['b']);
    });

    it('gives its idle timer back, when the app has shut down', () => {
      const { clock, lifecycle, queue, add } = setUp();
      queue.remove(add('a'));
      expect(clock.pending).toBe(1);

      lifecycle.dispose();

      expect(clock.pending).toBe(0);
    });

    it('still ends what runs when the app shuts down, and gives its timer back then', async () => {
      const { clock, lifecycle, queue, expired, add } = setUp();
      add('a');
      const answered = add('b');

      lifecycle.dispose();
      queue.remove(answered);
      expect(clock.pending).toBe(1);
      await clock.advance(MS);

      expect(expired).toEqual(['a']);
      expect(clock.pending).toBe(0);
    });

    it('gives its timer back with the last deadline, once the app has shut down', () => {
      const { clock, lifecycle, queue, add } = setUp();
      const running = add('a');
      lifecycle.dispose();

      queue.remove(running);

      expect(clock.pending).toBe(0);
    });
  });

  describe('with a timer that comes late', () => {
    it('judges at once, up to 5 ms late', () => {
      const { clock, expired, add } = setUp();
      add('a');

      clock.block(MS + 5);
      clock.fireDueTimers();

      expect(expired).toEqual(['a']);
    });

    it('lets the event loop poll twice before it judges, more than 5 ms late', () => {
      const { clock, expired, add } = setUp();
      add('a');

      clock.block(MS + 6);
      clock.fireDueTimers();
      expect(expired).toEqual([]);
      clock.turn();
      expect(expired).toEqual([]);
      clock.turn();

      expect(expired).toEqual(['a']);
    });

    it('lets an answer win that came while it polled', async () => {
      const { clock, queue, expired, add } = setUp();
      const deadlines = Array.from({ length: 200 }, (_, index) => add(String(index)));

      clock.block(300);
      clock.fireDueTimers();
      clock.turn();
      for (const deadline of deadlines) queue.remove(deadline);
      await clock.poll();

      expect(expired).toEqual([]);
    });

    it('lets the event loop poll, when only the first deadline is 5 ms late, but the timer more', () => {
      const { clock, queue, expired, add } = setUp();
      const first = add('a');
      clock.block(50);
      add('b');
      queue.remove(first);

      // The timer was for the first deadline; the loop was blocked from then until just after the second one.
      clock.block(50 + 53);
      clock.fireDueTimers();

      expect(expired).toEqual([]);
      clock.turn();
      clock.turn();
      expect(expired).toEqual(['b']);
    });

    it('arms no second timer for what comes while it polls, and ends that in its turn', async () => {
      const { clock, expired, add } = setUp();
      add('a');
      clock.block(MS + 50);
      clock.fireDueTimers();

      add('b');
      expect(clock.pending).toBe(0);
      await clock.poll();
      expect(expired).toEqual(['a']);
      await clock.advance(MS);

      expect(expired).toEqual(['a', 'b']);
    });

    it('goes on as ever, when nothing is left after the poll', async () => {
      const { clock, queue, expired, add } = setUp();
      const first = add('a');
      clock.block(MS + 50);
      clock.fireDueTimers();
      queue.remove(first);
      await clock.poll();

      add('b');
      await clock.advance(MS);

      expect(expired).toEqual(['b']);
    });
  });

  it('waits on, when the timer comes a little early', async () => {
    const { clock, lifecycle } = new TestEnvironment();
    const queue = new DeadlineQueue(10.4, clock, lifecycle);
    const expired: string[] = [];
    await clock.advance(0.9);

    queue.add(new Named('a', (name) => expired.push(name)), clock.now());
    await clock.advance(10);
    expect(expired).toEqual([]);
    await clock.advance(2);

    expect(expired).toEqual(['a']);
  });
});

describe('DeadlineQueue, of what has waited elsewhere', () => {
  it('ends it when its time is over that began with the wait, and the others at theirs', async () => {
    const { clock, expired, add } = setUp();
    await clock.advance(1_000);
    add('first');
    await clock.advance(10);
    add('second');
    const ends: [string, number][] = [];
    const start = clock.now();

    add('waited', { since: start - 60 });
    for (let passed = 0; passed < 120; passed++) {
      await clock.advance(1);
      for (const name of expired.splice(0)) ends.push([name, clock.now() - start]);
    }

    expect(ends).toEqual([
      ['waited', 40],
      ['first', 90],
      ['second', 100],
    ]);
  });

  it('stands between others by its time, and can be removed there', async () => {
    const { clock, expired, queue, add } = setUp();
    await clock.advance(1_000);
    add('a');
    await clock.advance(50);
    add('c');
    const since = clock.now() - 25;
    add('b', { since });
    queue.remove(add('removed', { since }));

    await clock.advance(100);

    expect(expired).toEqual(['a', 'b', 'c']);
    expect(clock.pending).toBeLessThanOrEqual(1);
  });

  it('needs one timer, when an idle one is due later', async () => {
    const { clock, expired, queue, add } = setUp();
    queue.remove(add('gone'));
    await clock.advance(10);

    add('waited', { since: clock.now() - 80 });

    expect([clock.pending, clock.keepingAlive]).toEqual([1, 1]);
    await clock.advance(20);
    expect(expired).toEqual(['waited']);
  });
});
