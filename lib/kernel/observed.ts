import type { AttemptObserver, Call, Next } from './call.js';
import { rejection } from './rejection.js';

/** Goes on with `call`, and tells `observer` how it ends: whoever takes it further in does, or else this. */
export function observed(call: Call, next: Next, observer: AttemptObserver): Promise<unknown> {
  call.observer = observer;
  const result = next(call);
  if (call.observer !== observer) return result;
  call.observer = undefined;
  return result.then(
    (value) => {
      observer.succeeded(value);
      return value;
    },
    (error: unknown) => {
      observer.failed(error);
      return rejection(error);
    },
  );
}
