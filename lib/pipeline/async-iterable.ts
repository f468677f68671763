import { isAsyncIterable } from '../errors/foreign.js';
import type { Attempt } from '../kernel/attempt.js';
import { UnsubscribedError } from '../kernel/call-info.js';
import type { Call } from '../kernel/call.js';
import type { Work } from '../kernel/junction.js';
import { Channel } from './channel.js';
import { inCall } from './current-call.js';
import type { Body } from './promise-work.js';
import { STREAM_END, type StreamCall } from './stream.js';

/** The work of a method that gives an async iterable: it settles when the source is done; its items go past it. */
export function iterableWork(body: Body): Work {
  return (attempt) =>
    pump(attempt, () => {
      const source = body(attempt);
      if (isAsyncIterable(source)) return source;
      const place = `${attempt.className}.${attempt.methodName}`;
      throw new TypeError(`${place} is guarded as a method that gives an async iterable, and gave none`);
    });
}

/** Hands on what answers in place of a stream, a value or another stream. */
export async function handOnIterable(call: Call, given: unknown): Promise<unknown> {
  const answer = await given;
  return answer === STREAM_END ? answer : pump(call.substitute(), () => asIterable(answer));
}

function asIterable(answer: unknown): AsyncIterable<unknown> {
  return isAsyncIterable(answer) ? answer : once(answer);
}

async function* once(value: unknown): AsyncGenerator<unknown> {
  yield await Promise.resolve(value);
}

/** Hands the items of a source to the consumer as it asks for them. */
function pump(attempt: Attempt, open: () => AsyncIterable<unknown>): Promise<typeof STREAM_END> {
  const source = new Source(attempt, attempt.origin?.sink as Channel);
  return (source.done = source.run(open));
}

/** A source of items at work. */
class Source {
  /** Whether an item has been asked of it, so that it cannot be stopped before that comes. */
  pulling = false;
  done: Promise<typeof STREAM_END> | undefined = undefined;
  #iterator: AsyncIterator<unknown> | undefined = undefined;
  #closing: Promise<void> | undefined = undefined;

  constructor(
    private readonly attempt: Attempt,
    private readonly channel: Channel,
  ) {}

  async run(open: () => AsyncIterable<unknown>): Promise<typeof STREAM_END> {
    const { attempt, channel } = this;
    if (attempt.aborted) throw attempt.reason;
    channel.open(this);
    attempt.onAbort(this.#stop);
    attempt.enlist();
    try {
      const iterator = inCall(attempt, () => open()[Symbol.asyncIterator]());
      this.#iterator = iterator;
      while (await this.#demanded()) {
        attempt.course.wanted(attempt);
        this.pulling = true;
        const result = await inCall(attempt, () => iterator.next());
        this.pulling = false;
        if (attempt.aborted) break;
        if (result.done === true) return STREAM_END;
        attempt.course.item(attempt, result.value);
        channel.deliver(result.value);
      }
      await this.#close();
      throw attempt.reason;
    } finally {
      attempt.offAbort(this.#stop);
      attempt.delist();
    }
  }

  /** What the attempt holds meanwhile is on loan to a consumer that may never come back. */
  #demanded(): Promise<boolean> {
    const { channel, attempt } = this;
    if (!channel.wanted) attempt.course.parked(attempt);
    return channel.demanded();
  }

  readonly #stop = (): void => {
    this.channel.cancel();
    if (this.pulling) void this.#close();
  };

  #close(): Promise<void> {
    return (this.#closing ??= this.#return());
  }

  /** Lets the source clean up. Whoever stopped it does not want to hear of a failure of that. */
  async #return(): Promise<void> {
    try {
      await this.#iterator?.return?.();
    } catch {
      // Nobody is left to tell.
    }
  }
}

/** One stream that runs through the pipeline, from the first item that is asked for. */
class Stream {
  readonly #channel = new Channel();
  #call: Call | undefined;
  #state: 'new' | 'running' | 'done' = 'new';

  constructor(private readonly open: (channel: Channel) => StreamCall) {}

  next(handle: object): Promise<IteratorResult<unknown, unknown>> {
    if (this.#state === 'done') {
      const late = this.#channel.takeFailure();
      if (late !== undefined) return Promise.reject(late.error);
      return Promise.resolve({ done: true, value: undefined });
    }
    const item = this.#channel.ask();
    if (this.#state === 'new') this.#begin(handle);
    return item;
  }

  async leave(): Promise<void> {
    const running = this.#state === 'running';
    this.#channel.takeFailure();
    this.#state = 'done';
    if (!running) return;
    const source = this.#channel.source as Source | undefined;
    const cleanUp = source?.pulling === false ? source.done : undefined;
    this.#call?.abort(new UnsubscribedError());
    this.#channel.end();
    // As with every generator, leaving a loop waits for the clean-up; but not for an item that may never come.
    await cleanUp?.catch(() => undefined);
  }

  /** Its consumer is gone, and has not said so. */
  dropped(): void {
    this.#channel.abandon(() => void this.leave());
  }

  #begin(handle: object): void {
    this.#state = 'running';
    const { call, end } = this.open(this.#channel);
    this.#call = call;
    droppedStreams.register(handle, this, this);
    end.then(
      () => {
        this.#end();
        this.#channel.end();
      },
      (error: unknown) => {
        const left = this.#state === 'done';
        this.#end();
        if (!left) this.#channel.fail(error);
      },
    );
  }

  #end(): void {
    droppedStreams.unregister(this);
    this.#state = 'done';
  }
}

/**
 * Whoever stops reading without `return()`, and lets go of the stream, leaves behind a source and what guards it. Nobody
 * else notices, so the collector tells.
 */
const droppedStreams = new FinalizationRegistry<Stream>((stream) => stream.dropped());

/**
 * What the consumer has of a stream: the call begins with the first item that is asked for, and `return()` is its caller's
 * abort. Nothing that runs refers to it, so that it can be noticed when it is dropped.
 */
export class GuardedIterable implements AsyncGenerator<unknown, unknown, unknown> {
  readonly #stream: Stream;

  /** @param open begins the call, in the context of whoever asks for the first item. */
  constructor(open: (channel: Channel) => StreamCall) {
    this.#stream = new Stream(open);
  }

  next(): Promise<IteratorResult<unknown, unknown>> {
    return this.#stream.next(this);
  }

  async return(value?: unknown): Promise<IteratorResult<unknown, unknown>> {
    await this.#stream.leave();
    return { done: true, value: await value };
  }

  async throw(error: unknown): Promise<IteratorResult<unknown, unknown>> {
    await this.return();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }
}
