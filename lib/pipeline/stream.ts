import type { Call } from '../kernel/call.js';

/** What the work of a stream ends with when the stream itself was the answer. */
export const STREAM_END = Symbol('stream end');

/** The call of a stream: who may cut it, and when it is over. */
export interface StreamCall {
  readonly call: Call;
  readonly end: Promise<unknown>;
}

/** Makes an Observable each of whose subscriptions begins a call; it lives outside, with rxjs. */
export type Observe = (begin: (sink: unknown) => StreamCall) => unknown;
