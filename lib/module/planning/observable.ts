import { from, isObservable, Observable, Subject, takeUntil } from 'rxjs';
import { STREAM_END } from '../../pipeline/async-iterable.js';
import type { CallOrigin, PipelineCall } from '../../pipeline/call.js';
import { isAsyncIterable, isObservableLike, type Body } from '../../pipeline/stages.js';
import { UnsubscribedError, type Next } from '../../policies/call.js';

/** The end of a pipeline that gives an Observable: it settles when the Observable does; its items go past it. */
export function observableStage(body: Body): (call: PipelineCall) => Promise<unknown> {
  return (call) => {
    if (call.aborted) return Promise.reject(call.reason);
    call.begin();
    let source: unknown;
    try {
      source = body(call);
    } catch (error) {
      return Promise.reject(error);
    }
    if (!isObservable(source) && !isObservableLike(source)) {
      const place = `${call.className}.${call.methodName}`;
      return Promise.reject(new TypeError(`${place} is guarded as a method that gives an Observable, and gave none`));
    }
    return follow(from(source as Observable<unknown>), call);
  };
}

function follow(source: Observable<unknown>, call: PipelineCall): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const stopped = new Subject<void>();
    const stop = (reason: unknown): void => {
      reject(reason);
      stopped.next();
    };
    call.onAbort(stop);
    const settle = (end: () => void): void => {
      call.offAbort(stop);
      end();
    };
    source.pipe(takeUntil(stopped)).subscribe({
      next: (item) => {
        call.emit();
        call.origin.sink?.next(item);
        call.itemTimer?.resume();
      },
      error: (error: unknown) => settle(() => reject(error)),
      complete: () => settle(() => resolve(STREAM_END)),
    });
  });
}

/** An Observable each of whose subscriptions is one call through the pipeline; unsubscribing is its caller's abort. */
export function guardedObservable(
  run: Next,
  begin: (origin: Pick<CallOrigin, 'sink'>) => PipelineCall,
): Observable<unknown> {
  return new Observable((subscriber) => {
    const call = begin({ sink: subscriber });
    call.abortable = true;
    const detach = call.attach();
    run(call).then(
      (answer) => {
        if (answer === STREAM_END) subscriber.complete();
        else substituteOf(answer).subscribe(subscriber);
      },
      (error: unknown) => subscriber.error(error),
    );
    return () => {
      detach?.();
      call.abort(new UnsubscribedError());
    };
  });
}

/** A fallback may answer with a stream or with a single value. */
function substituteOf(answer: unknown): Observable<unknown> {
  return isObservable(answer) || isAsyncIterable(answer) ? from(answer as Observable<unknown>) : from([answer]);
}
