import { isAsyncIterable } from '../errors/foreign.js';
import { UnsubscribedError, type Next } from '../kernel/call.js';
import type { Policy } from '../kernel/policy.js';
import type { PipelineCall } from './call.js';
import { Channel } from './channel.js';
import { STREAM_END, type Body } from './stages.js';

/** The end of a pipeline that gives an async iterable: it settles when the source is done; its items go past it. */
export function iterableStage(body: Body): (call: PipelineCall) => Promise<unknown> {
  return async (call) => {
    if (call.aborted) throw call.reason;
    call.begin();
    return pump(call, () => {
      const source = body(call);
      if (isAsyncIterable(source)) return source;
      const place = `${call.className}.${call.methodName}`;
      throw new TypeError(`${place} is guarded as a method that gives an async iterable, and gave none`);
    });
  };
}

/** Lets a policy answer a stream with a value or a stream, whose failure then is the policy's own. */
export function answeringIterable(policy: Policy): Policy {
  return {
    execute: async (call, next) => {
      const answer = await policy.execute(call, next);
      return answer === STREAM_END ? answer : pump((call as PipelineCall).substitute(), () => asIterable(answer));
    },
  };
}

function asIterable(answer: unknown): AsyncIterable<unknown> {
  return isAsyncIterable(answer) ? answer : once(answer);
}

async function* once(value: unknown): AsyncGenerator<unknown> {
  yield await Promise.resolve(value);
}

/** Hands the items of a source to the consumer as it asks for them. */
function pump(call: PipelineCall, open: () => AsyncIterable<unknown>): Promise<typeof STREAM_END> {
  const source = new Source(call, call.origin.channel as Channel);
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
    private readonly call: PipelineCall,
    private readonly channel: Channel,
  ) {}

  async run(open: () => AsyncIterable<unknown>): Promise<typeof STREAM_END> {
    const { call, channel } = this;
    if (call.aborted) throw call.reason;
    channel.open(this);
    call.onAbort(this.#stop);
    call.enlist();
    try {
      const iterator = call.run(() => open()[Symbol.asyncIterator]());
      this.#iterator = iterator;
      while (await this.#demanded()) {
        call.slot?.resume();
        call.itemTimer?.resume();
        this.pulling = true;
        const result = await call.run(() => iterator.next());
        this.pulling = false;
        if (call.aborted) break;
        if (result.done === true) return STREAM_END;
        call.emit();
        channel.deliver(result.value);
      }
      await this.#close();
      throw call.reason;
    } finally {
      call.offAbort(this.#stop);
      call.delist();
    }
  }

  /** What the call holds meanwhile is on loan to a consumer that may never come back. */
  #demanded(): Promise<boolean> {
    const { channel, call } = this;
    if (!channel.wanted) call.slot?.park();
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
  #call: PipelineCall | undefined;
  #state: 'new' | 'running' | 'done' = 'new';

  constructor(
    private readonly run: Next,
    private readonly open: (channel: Channel) => PipelineCall,
  ) {}

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
    const call = (this.#call = this.open(this.#channel));
    call.abortable = true;
    const detach = call.attach();
    droppedStreams.register(handle, this, this);
    const end = (): void => {
      droppedStreams.unregister(this);
      detach?.();
      this.#state = 'done';
    };
    this.#answer(call).then(
      () => {
        end();
        this.#channel.end();
      },
      (error: unknown) => {
        const left = this.#state === 'done';
        end();
        if (!left) this.#channel.fail(error);
      },
    );
  }

  /** Runs the call; what Recover answers takes the place of the stream. */
  async #answer(call: PipelineCall): Promise<void> {
    const answer = await this.run(call);
    if (answer !== STREAM_END && this.#state !== 'done') await pump(call.substitute(), () => asIterable(answer));
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

  /** @param open makes the call, in the context of whoever asks for the first item. */
  constructor(run: Next, open: (channel: Channel) => PipelineCall) {
    this.#stream = new Stream(run, open);
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
