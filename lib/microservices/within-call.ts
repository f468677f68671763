import { Observable } from 'rxjs';
import { warnOfUncut } from '../pipeline/current-call.js';
import { outgoing, type Outgoing } from '../pipeline/outgoing.js';

/** What `begin` sends at each subscription, cut by the end of the guarded call that subscribes; outside of calls as it is. */
export function withinCall<T>(begin: (call: Outgoing | undefined) => Observable<T>): Observable<T> {
  return new Observable((subscriber) => {
    const call = outgoing();
    if (call === undefined) warnOfUncut('resilientClient()');
    else {
      const { signal } = call;
      const cut = (): void => subscriber.error(signal.reason);
      if (signal.aborted) return cut();
      signal.addEventListener('abort', cut, { once: true });
      subscriber.add(() => signal.removeEventListener('abort', cut));
    }
    subscriber.add(
      begin(call).subscribe({
        next: (value) => subscriber.next(value),
        // The time that a client has given may be over there just before it is here.
        error: (error: unknown) => subscriber.error(call?.instead() ?? error),
        complete: () => subscriber.complete(),
      }),
    );
  });
}
