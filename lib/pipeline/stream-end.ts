/** What the work of a stream ends with when the stream itself was the answer. */
export const STREAM_END = Symbol('stream end');
