import { describe, expect, it } from 'vitest';
import type { Attempt } from '../../../lib/kernel/attempt.js';
import { UnsubscribedError } from '../../../lib/kernel/call-info.js';
import { callOf } from '../../../lib/kernel/call.js';
import type { Decision } from '../../../lib/kernel/decision.js';
import { Guard } from '../../../lib/kernel/guard.js';
import { GuardedIterable, handOnIterable, iterableWork } from '../../../lib/pipeline/async-iterable.js';
import { layered } from '../../../lib/pipeline/layers.js';
import type { Body } from '../../../lib/pipeline/promise-work.js';
import { errorOf, settle, track } from '../../support/settle.js';
import { newCall } from '../../support/calls.js';
import { TestEnvironment } from '../../support/test-environment.js';

/** Notes what the pipeline hears of an attempt. */
class Noting extends Guard {
  constructor(private readonly steps: string[]) {
    super();
  }

  admit(): undefined {
    // All may pass.
  }

  override wanted(): void {
    this.steps.push('wanted');
  }

  override item(): void {
    this.steps.push('item');
  }

  override parked(): void {
    this.steps.push('parked');
  }

  override settled(_: Attempt, __: unknown, failure: object | undefined): void {
    this.steps.push(failure === undefined ? 'done' : 'failed');
  }
}

/** A guarded stream, what its pipeline hears, and its call once it has begun. */
function setUp(body: Body, answer?: (error: unknown) => unknown) {
  const environment = new TestEnvironment();
  const steps: string[] = [];
  const attempts: Attempt[] = [];
  const recover: Decision = { answers: true, failed: (_, { error }) => answer?.(error) };
  const stages = {
    bulkhead: { guard: new Noting(steps) },
    ...(answer === undefined ? {} : { recover: { decision: recover } }),
  };
  const stream = new GuardedIterable((sink) => {
    const attempt = newCall(environment, { sink });
    attempts.push(attempt);
    const pipeline = layered(stages, attempt.course.target, iterableWork(body), { handOn: handOnIterable });
    attempt.course = pipeline;
    return { call: callOf(attempt), end: pipeline.start(attempt) };
  });
  return { environment, steps, attempts, stream };
}

/** A source of numbers that notes its end, and may fail at one of them. */
function numbers(count: number, notes: string[] = [], failsAt = Infinity) {
  return async function* () {
    try {
      for (let number = 1; number <= count; number++) {
        if (number === failsAt) throw new Error('no');
        yield number;
      }
    } finally {
      notes.push('cleaned up');
    }
  };
}

/** A source that gives what the test says, when it says it. */
function manualSource() {
  const notes: string[] = [];
  const waiting: { resolve: (result: IteratorResult<unknown>) => void; reject: (error: unknown) => void }[] = [];
  const source = {
    next: () => new Promise<IteratorResult<unknown>>((resolve, reject) => waiting.push({ resolve, reject })),
    return: (): Promise<IteratorResult<unknown>> => {
      notes.push('return');
      return Promise.resolve({ done: true, value: undefined });
    },
    [Symbol.asyncIterator]: () => source,
  };
  const give = async (value: unknown): Promise<void> => {
    waiting.shift()?.resolve({ done: false, value });
    await settle();
  };
  return { source, notes, waiting, give };
}

async function collect(stream: AsyncIterable<unknown>): Promise<unknown[]> {
  const items: unknown[] = [];
  for await (const item of stream) items.push(item);
  return items;
}

describe('a guarded async iterable', () => {
  it('gives the items of its source, and ends with it', async () => {
    const { stream, steps } = setUp(numbers(3));

    expect(await collect(stream)).toEqual([1, 2, 3]);
    expect(await stream.next()).toEqual({ done: true, value: undefined });
    const asked = steps.filter((step) => step !== 'parked');
    expect(asked).toEqual(['wanted', 'item', 'wanted', 'item', 'wanted', 'item', 'wanted', 'done']);
  });

  it('calls nothing before the first item is asked for', async () => {
    let called = 0;
    const { stream } = setUp(() => (called++, numbers(1)()));
    expect(stream[Symbol.asyncIterator]()).toBe(stream);
    await settle();
    expect(called).toBe(0);

    await stream.next();
    await stream.next();

    expect(called).toBe(1);
  });

  it('asks its source for an item only when the consumer waits for one, and says so meanwhile', async () => {
    const { source, give, waiting } = manualSource();
    const { stream, steps } = setUp(() => source);
    const first = stream.next();
    await settle();
    expect(waiting).toHaveLength(1);

    await give('a');
    expect(await first).toEqual({ done: false, value: 'a' });
    expect(waiting).toHaveLength(0);
    expect(steps).toEqual(['wanted', 'item', 'parked']);
    void stream.next();
    await settle();

    expect(waiting).toHaveLength(1);
    expect(steps).toEqual(['wanted', 'item', 'parked', 'wanted']);
  });

  it('fails with its source, for the item that is waited for, and then is over', async () => {
    const { stream, steps } = setUp(numbers(3, [], 2));

    expect(await stream.next()).toEqual({ done: false, value: 1 });
    expect((await errorOf(stream.next())).message).toBe('no');
    expect(await stream.next()).toEqual({ done: true, value: undefined });
    expect(steps.at(-1)).toBe('failed');
  });

  it('keeps an error that comes while nobody waits, for the next who asks', async () => {
    const { stream, attempts, steps } = setUp(numbers(3));
    await stream.next();

    callOf(attempts[0] as Attempt).abort(new Error('cut'));
    await settle();

    expect(steps.at(-1)).toBe('failed');
    expect((await errorOf(stream.next())).message).toBe('cut');
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  });

  it('forgets such an error when its consumer leaves', async () => {
    const { stream, attempts } = setUp(numbers(3));
    await stream.next();
    callOf(attempts[0] as Attempt).abort(new Error('cut'));
    await settle();

    expect(await stream.return('bye')).toEqual({ done: true, value: 'bye' });
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  });

  it('is a mistake where the method gives none', async () => {
    const { stream } = setUp(() => 'text');

    const error = await errorOf(stream.next());

    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toBe('Client.load is guarded as a method that gives an async iterable, and gave none');
  });

  it('does not call the method for a call that was cut before', async () => {
    let called = 0;
    const environment = new TestEnvironment();
    const attempt = newCall(environment);
    attempt.abort('gone');

    await expect(iterableWork(() => (called++, numbers(1)()))(attempt)).rejects.toBe('gone');
    expect(called).toBe(0);
  });
});

describe('leaving a guarded async iterable', () => {
  it('lets the source clean up first', async () => {
    const notes: string[] = [];
    const { stream, steps, attempts } = setUp(numbers(3, notes));

    for await (const item of stream) {
      expect(item).toBe(1);
      break;
    }

    expect(notes).toEqual(['cleaned up']);
    expect(steps.at(-1)).toBe('failed');
    expect(attempts[0]?.reason).toBeInstanceOf(UnsubscribedError);
  });

  it('waits for no item that may never come', async () => {
    const { source, notes } = manualSource();
    const { stream } = setUp(() => source);
    const item = track(stream.next());
    await settle();

    await stream.return();

    expect(notes).toEqual(['return']);
    expect(item.outcome).toEqual({ done: true, value: undefined });
  });

  it('gives no item that comes after that', async () => {
    const { source, notes, give } = manualSource();
    const { stream, steps } = setUp(() => source);
    void stream.next();
    await settle();
    await stream.return();

    await give('late');

    expect(await stream.next()).toEqual({ done: true, value: undefined });
    expect(steps).not.toContain('item');
    // Once, whoever asks for it.
    expect(notes).toEqual(['return']);
  });

  it('before the first item calls nothing, and ends it', async () => {
    let called = 0;
    const { stream } = setUp(() => (called++, numbers(1)()));

    expect(await stream.return()).toEqual({ done: true, value: undefined });
    expect(await stream.next()).toEqual({ done: true, value: undefined });
    expect(called).toBe(0);
  });

  it('by an error gives that to whoever leaves', async () => {
    const notes: string[] = [];
    const { stream } = setUp(numbers(3, notes));
    await stream.next();

    expect(await errorOf(stream.throw(new Error('mine')))).toMatchObject({ message: 'mine' });
    expect(notes).toEqual(['cleaned up']);
  });

  it('at the end of its block does so too', async () => {
    const notes: string[] = [];
    const { stream } = setUp(numbers(3, notes));
    await stream.next();

    await stream[Symbol.asyncDispose]();

    expect(notes).toEqual(['cleaned up']);
  });

  it('does not fail by a source that cannot clean up', async () => {
    const source = {
      next: () => Promise.resolve({ done: false, value: 1 }),
      return: () => Promise.reject(new Error('no')),
      [Symbol.asyncIterator]: () => source,
    };
    const { stream } = setUp(() => source);
    await stream.next();

    expect(await stream.return()).toEqual({ done: true, value: undefined });
  });

  it('needs no source that can clean up', async () => {
    const source = {
      next: () => Promise.resolve({ done: false, value: 1 }),
      [Symbol.asyncIterator]: () => source,
    };
    const { stream } = setUp(() => source);
    await stream.next();

    expect(await stream.return()).toEqual({ done: true, value: undefined });
  });

  it('a second time does nothing more', async () => {
    const notes: string[] = [];
    const { stream } = setUp(numbers(3, notes));
    await stream.next();
    await stream.return();
    await stream.return();

    expect(notes).toEqual(['cleaned up']);
  });
});

describe('cutting a guarded async iterable', () => {
  it('stops its source at once, also while an item is on its way', async () => {
    const { source, notes, give } = manualSource();
    const { stream, attempts } = setUp(() => source);
    const item = track(stream.next());
    await settle();

    callOf(attempts[0] as Attempt).abort(new Error('cut'));
    await settle();
    expect(notes).toEqual(['return']);
    await give('late');

    expect(item).toMatchObject({ status: 'rejected', outcome: { message: 'cut' } });
    expect(notes).toEqual(['return']);
  });

  it('does not listen to what has ended', async () => {
    const notes: string[] = [];
    const { stream, attempts } = setUp(numbers(1, notes));
    expect(await collect(stream)).toEqual([1]);

    callOf(attempts[0] as Attempt).abort(new Error('late'));
    await settle();

    expect(await stream.next()).toEqual({ done: true, value: undefined });
  });
});

describe('what answers in place of a guarded async iterable', () => {
  it('is a value, as its only item', async () => {
    const { stream } = setUp(numbers(3, [], 1), () => 'instead');

    expect(await collect(stream)).toEqual(['instead']);
  });

  it('is another stream, whose items follow those that came', async () => {
    const { stream } = setUp(numbers(3, [], 3), () => numbers(2)());

    expect(await collect(stream)).toEqual([1, 2, 1, 2]);
  });

  it('is what a promise gives, and fails with it', async () => {
    const { stream } = setUp(numbers(3, [], 1), () => Promise.resolve(numbers(2)()));
    expect(await collect(stream)).toEqual([1, 2]);

    const failing = setUp(numbers(3, [], 1), () => Promise.reject(new Error('as well')));
    expect((await errorOf(failing.stream.next())).message).toBe('as well');
  });

  it('cleans up when its consumer leaves', async () => {
    const notes: string[] = [];
    const { stream } = setUp(numbers(3, [], 1), () => numbers(3, notes)());
    await stream.next();

    await stream.return();

    expect(notes).toEqual(['cleaned up']);
  });
});
