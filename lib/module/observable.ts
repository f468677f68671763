import { from, Observable, Subject, takeUntil, type Subscriber } from 'rxjs';
import { instanceOf, isAsyncIterable, isObservableLike } from '../errors/foreign.js';
import type { Attempt } from '../kernel/attempt.js';
import { UnsubscribedError } from '../kernel/call-info.js';
import type { Call } from '../kernel/call.js';
import type { Work } from '../kernel/junction.js';
import { rejected } from '../kernel/rejection.js';
import { inCall } from '../pipeline/current-call.js';
import type { Body } from '../pipeline/promise-work.js';
import type { ObservableWork } from '../planning/assemble.js';
import { STREAM_END, type StreamCall } from '../pipeline/stream.js';

/** The work of a method that gives an Observable: it settles when the Observable does; its items go past it. */
function observableWork(body: Body): Work {
  return (attempt) => {
    try {
      const source = inCall(attempt, body);
      if (isObservableLike(source)) return follow(attempt, from(source as Observable<unknown>));
      const place = `${attempt.className}.${attempt.methodName}`;
      throw new TypeError(`${place} is guarded as a method that gives an Observable, and gave none`);
    } catch (error) {
      return rejected(error);
    }
  };
}

/** Hands on what answers in place of a stream, a value or another stream. */
async function handOnObservable(call: Call, given: unknown): Promise<unknown> {
  const answer = await given;
  if (answer === STREAM_END) return answer;
  const substitute = call.substitute();
  substitute.goOn();
  return follow(substitute, asObservable(answer)).finally(() => substitute.rest());
}

function asObservable(answer: unknown): Observable<unknown> {
  return isStream(answer) ? from(answer as Observable<unknown>) : only(answer);
}

/** `of(item)`, which would look whether it is a scheduler. */
function only(item: unknown): Observable<unknown> {
  return new Observable((subscriber) => {
    subscriber.next(item);
    subscriber.complete();
  });
}

function isStream(answer: unknown): boolean {
  return instanceOf(answer, Observable) || isObservableLike(answer) || isAsyncIterable(answer);
}

/** Hands the items of a source to the subscriber, until it ends or the attempt is cut. */
function follow(attempt: Attempt, source: Observable<unknown>): Promise<typeof STREAM_END> {
  if (attempt.aborted) return rejected(attempt.reason);
  const sink = attempt.origin?.sink as Subscriber<unknown>;
  // A subscriber may have no ear for errors: only who has asked for the signal is cut by a shutdown.
  return new Promise<typeof STREAM_END>((resolve, reject) => {
    const stopped = new Subject<void>();
    const stop = (reason: unknown): void => {
      reject(reason);
      stopped.next();
      // Whoever has left may subscribe anew at once.
      attempt.course.abandoned(attempt);
    };
    attempt.onAbort(stop);
    const crashed = (fault: unknown): void => {
      attempt.offAbort(stop);
      reject(fault);
      stopped.next();
    };
    const observer = {
      next: (item: unknown) => {
        try {
          attempt.course.item(attempt, item);
        } catch (fault) {
          return crashed(fault);
        }
        sink.next(item);
        // A synchronous source is not told otherwise that its subscriber has what it wanted.
        if (sink.closed) leave(attempt);
        try {
          attempt.course.wanted(attempt);
        } catch (fault) {
          crashed(fault);
        }
      },
      error: (error: unknown) => {
        attempt.offAbort(stop);
        reject(error);
      },
      complete: () => {
        attempt.offAbort(stop);
        resolve(STREAM_END);
      },
    };
    try {
      inCall(attempt, () => source.pipe(takeUntil(stopped)).subscribe(observer));
    } catch (error) {
      observer.error(error);
    }
  });
}

function leave(attempt: Attempt): void {
  attempt.abort(new UnsubscribedError());
}

/** An Observable each of whose subscriptions is one call through the pipeline; unsubscribing is its caller's abort. */
function guardedObservable(begin: (sink: unknown) => StreamCall): Observable<unknown> {
  return new Observable((subscriber) => {
    const { call, end } = begin(subscriber);
    let settled = false;
    end.then(
      () => {
        settled = true;
        subscriber.complete();
      },
      (error: unknown) => {
        settled = true;
        subscriber.error(error);
      },
    );
    return () => {
      if (!settled) call.abort(new UnsubscribedError());
      call.letGo();
    };
  });
}

/** How Observables are guarded. */
export const OBSERVABLES: ObservableWork = {
  work: observableWork,
  handOn: handOnObservable,
  observe: guardedObservable,
};
