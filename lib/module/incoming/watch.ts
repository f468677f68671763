import { propertyOf } from '../../errors/foreign.js';

/** What tells its end by an event: a response, a socket, a call of gRPC. */
export interface Emitter {
  once(event: string, listener: () => void): unknown;
}

/** Who is to be told of the end of each emitter. */
const watchers = new WeakMap<object, Set<() => void>>();

export function isEmitter(value: unknown): value is Emitter {
  return typeof propertyOf(value, 'once') === 'function';
}

/**
 * Calls `onEvent` when the emitter tells `event`. Many requests may come over one connection, and Node warns of more than ten
 * listeners: ours is one, whoever watches.
 *
 * @param event the same for all that watch the emitter.
 * @returns a function that lets go.
 */
export function watch(emitter: Emitter, event: string, onEvent: () => void): () => void {
  const own = watchers.get(emitter) ?? listen(emitter, event);
  own.add(onEvent);
  return () => void own.delete(onEvent);
}

function listen(emitter: Emitter, event: string): Set<() => void> {
  const own = new Set<() => void>();
  watchers.set(emitter, own);
  emitter.once(event, () => {
    watchers.delete(emitter);
    for (const tell of [...own]) tell();
  });
  return own;
}
