import { UnsubscribedError, type Next } from '../policies/call.js';
import type { PipelineCall } from './call.js';
import { isAsyncIterable, type Body } from './stages.js';

/** What the pipeline of a stream ends with when the stream itself was the answer. */
export const STREAM_END = Symbol('stream end');

interface Demand {
  resolve(result: IteratorResult<unknown, undefined>): void;
  reject(error: unknown): void;
}

/** Hands items over one at a time: the source is asked for one only when the consumer waits for it. */
export class Channel {
  #demands: Demand[] = [];
  #wake: (() => void) | undefined;
  #cancelled = false;

  ask(): Promise<IteratorResult<unknown, undefined>> {
    return new Promise((resolve, reject) => {
      this.#demands.push({ resolve, reject });
      this.#wake?.();
    });
  }

  /** Settles when the consumer waits for an item: false if no item is wanted any more. */
  demanded(): Promise<boolean> {
    if (this.#cancelled || this.#demands.length > 0) return Promise.resolve(!this.#cancelled);
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        resolve(!this.#cancelled);
      };
    });
  }

  /** Ends the wait of the source. */
  cancel(): void {
    this.#cancelled = true;
    this.#wake?.();
  }

  /** A new source takes the place of one that was cut. */
  reopen(): void {
    this.#cancelled = false;
  }

  deliver(value: unknown): void {
    this.#demands.shift()?.resolve({ done: false, value });
  }

  end(): void {
    for (const demand of this.#demands.splice(0)) demand.resolve({ done: true, value: undefined });
  }

  fail(error: unknown): void {
    this.#demands.shift()?.reject(error);
    this.end();
  }
}

/** The end of a pipeline that gives an async iterable. */
export function iterableStage(body: Body): (call: PipelineCall) => Promise<unknown> {
  return async (call) => {
    if (call.aborted) throw call.reason;
    call.begin();
    const channel = call.origin.channel as Channel;
    channel.reopen();
    const source = body(call);
    if (!isAsyncIterable(source))
      throw new TypeError(
        `${call.className}.${call.methodName} is guarded as a method that gives an async iterable, and gave none`,
      );
    const iterator = source[Symbol.asyncIterator]();
    const stop = (): void => {
      channel.cancel();
      // Its own clean-up must not be waited for: it may hang where the source hung.
      void Promise.resolve(iterator.return?.()).catch(() => {});
    };
    call.onAbort(stop);
    try {
      while (await channel.demanded()) {
        call.itemTimer?.resume();
        const result = await iterator.next();
        if (call.aborted) throw call.reason;
        if (result.done === true) return STREAM_END;
        call.emit();
        channel.deliver(result.value);
      }
      throw call.reason;
    } finally {
      call.offAbort(stop);
    }
  };
}

/**
 * A stream that runs through the pipeline: the call begins with the first item that is asked for, and `return()` is
 * its caller's abort.
 */
export class GuardedIterable implements AsyncGenerator<unknown, undefined, unknown> {
  readonly #channel: Channel;
  #state: 'new' | 'running' | 'done' = 'new';
  #rest: AsyncIterator<unknown> | undefined;

  constructor(
    private readonly run: Next,
    private readonly call: PipelineCall,
  ) {
    this.#channel = call.origin.channel as Channel;
    call.abortable = true;
  }

  async next(): Promise<IteratorResult<unknown, undefined>> {
    if (this.#rest !== undefined) return this.#rest.next() as Promise<IteratorResult<unknown, undefined>>;
    if (this.#state === 'done') return { done: true, value: undefined };
    const item = this.#channel.ask();
    if (this.#state === 'new') this.#begin();
    return item;
  }

  async return(): Promise<IteratorResult<unknown, undefined>> {
    const running = this.#state === 'running';
    this.#state = 'done';
    if (running) this.call.abort(new UnsubscribedError());
    this.#channel.end();
    await this.#rest?.return?.();
    return { done: true, value: undefined };
  }

  async throw(error: unknown): Promise<IteratorResult<unknown, undefined>> {
    await this.return();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  #begin(): void {
    this.#state = 'running';
    const detach = this.call.attach();
    this.run(this.call).then(
      (answer) => {
        detach?.();
        this.#onAnswer(answer);
      },
      (error: unknown) => {
        detach?.();
        this.#state = 'done';
        this.#channel.fail(error);
      },
    );
  }

  /** The stream has ended, or a substitute takes its place: one value, or a stream of its own. */
  #onAnswer(answer: unknown): void {
    if (this.#state === 'done') return;
    this.#state = 'done';
    if (answer === STREAM_END) return this.#channel.end();
    if (!isAsyncIterable(answer)) {
      this.#channel.deliver(answer);
      return this.#channel.end();
    }
    this.#rest = answer[Symbol.asyncIterator]();
    void this.#forward(this.#rest);
  }

  /** Answers the item that is already waited for; later ones are asked of the substitute directly. */
  async #forward(rest: AsyncIterator<unknown>): Promise<void> {
    try {
      const first = await rest.next();
      if (first.done === true) this.#channel.end();
      else this.#channel.deliver(first.value);
    } catch (error) {
      this.#channel.fail(error);
    }
  }
}
