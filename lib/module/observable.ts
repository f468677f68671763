import { from, Observable, Subject, takeUntil } from 'rxjs';
import { instanceOf, isAsyncIterable, isObservableLike } from '../errors/foreign.js';
import type { CallOrigin, PipelineCall } from '../pipeline/call.js';
import { STREAM_END, type Body } from '../pipeline/stages.js';
import { UnsubscribedError, type Next } from '../kernel/call.js';
import type { Policy } from '../kernel/policy.js';
import type { ObservableEnd } from '../planning/assemble.js';

/** The end of a pipeline that gives an Observable: it settles when the Observable does; its items go past it. */
function observableStage(body: Body): (call: PipelineCall) => Promise<unknown> {
  return async (call) => {
    if (call.aborted) throw call.reason;
    call.begin();
    const source = call.run(body);
    if (isObservableLike(source)) return follow(call, from(source as Observable<unknown>));
    const place = `${call.className}.${call.methodName}`;
    throw new TypeError(`${place} is guarded as a method that gives an Observable, and gave none`);
  };
}

/** Lets a policy answer a stream with a value or a stream, whose failure then is the policy's own. */
function answeringObservable(policy: Policy): Policy {
  return {
    execute: async (call, next) => {
      const answer = await policy.execute(call, next);
      return answer === STREAM_END ? answer : follow((call as PipelineCall).substitute(), asObservable(answer));
    },
  };
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

/** Hands the items of a source to the subscriber, until it ends or the call is cut. */
function follow(call: PipelineCall, source: Observable<unknown>): Promise<typeof STREAM_END> {
  if (call.aborted) return Promise.reject(call.reason);
  // A subscriber may have no ear for errors: only who has asked for the signal is cut by a shutdown.
  const end = new Promise<typeof STREAM_END>((resolve, reject) => {
    const stopped = new Subject<void>();
    const stop = (reason: unknown): void => {
      reject(reason);
      stopped.next();
      // Whoever has left may subscribe anew at once.
      call.slot?.leave(reason);
    };
    call.onAbort(stop);
    const observer = {
      next: (item: unknown) => {
        call.emit();
        call.origin.sink?.next(item);
        // A synchronous source is not told otherwise that its subscriber has what it wanted.
        if (call.origin.sink?.closed === true) call.abort(new UnsubscribedError());
        call.itemTimer?.resume();
      },
      error: (error: unknown) => {
        call.offAbort(stop);
        reject(error);
      },
      complete: () => {
        call.offAbort(stop);
        resolve(STREAM_END);
      },
    };
    try {
      call.run(() => source.pipe(takeUntil(stopped)).subscribe(observer));
    } catch (error) {
      observer.error(error);
    }
  });
  return call.runs(end);
}

/** An Observable each of whose subscriptions is one call through the pipeline; unsubscribing is its caller's abort. */
function guardedObservable(run: Next, begin: (origin: Pick<CallOrigin, 'sink'>) => PipelineCall): Observable<unknown> {
  return new Observable((subscriber) => {
    const call = begin({ sink: subscriber });
    call.abortable = true;
    const detach = call.attach();
    let settled = false;
    const settle = (end: () => void): void => {
      settled = true;
      detach?.();
      end();
    };
    run(call)
      // What Recover answers takes the place of the stream.
      .then((answer) => (answer === STREAM_END ? answer : follow(call.substitute(), asObservable(answer))))
      .then(
        () => settle(() => subscriber.complete()),
        (error: unknown) => settle(() => subscriber.error(error)),
      );
    return () => {
      if (!settled) call.abort(new UnsubscribedError());
      detach?.();
    };
  });
}

/** How Observables are guarded. */
export const OBSERVABLES: ObservableEnd = {
  end: observableStage,
  answering: answeringObservable,
  observe: guardedObservable,
};
