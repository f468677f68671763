import { Observable, type Subscriber } from 'rxjs';
import type { Outcome } from './ends.js';
import type { Run } from './run.js';
import type { Gives } from './script.js';

interface Waiting {
  resolve: (result: IteratorResult<unknown>) => void;
  reject: (error: unknown) => void;
}

/** What a run returns, by what the method gives; `early` is how it ends at once. */
export const RESULTS: Readonly<Record<Exclude<Gives, 'value'>, (run: Run, early: Outcome | undefined) => unknown>> = {
  promise: givePromise,
  observable: giveObservable,
  iterable: giveIterable,
};

function givePromise(run: Run, early: Outcome | undefined): Promise<unknown> {
  return new Promise((resolve, reject) => {
    run.settle = (outcome) => {
      if (!run.end('ended')) return;
      if ('error' in outcome) reject(outcome.error);
      else resolve(outcome.value);
    };
    if (early !== undefined) run.settle(early);
  });
}

function giveObservable(run: Run, early: Outcome | undefined): Observable<unknown> {
  return new Observable((subscriber: Subscriber<unknown>) => {
    run.pulls++;
    run.emit = (outcome) => {
      if (run.state === 'running' && 'value' in outcome) subscriber.next(outcome.value);
    };
    run.settle = (outcome) => {
      if (!run.end('ended')) return;
      if ('error' in outcome) subscriber.error(outcome.error);
      else subscriber.complete();
    };
    if (early !== undefined) {
      run.emit(early);
      run.settle(early);
    }
    return () => void run.end('left');
  });
}

function giveIterable(run: Run, early: Outcome | undefined): AsyncIterable<unknown> {
  const ready: Outcome[] = [];
  const waiting: Waiting[] = [];
  const flush = (): void => {
    while (waiting.length > 0 && (ready.length > 0 || run.state !== 'running')) {
      const { resolve, reject } = waiting.shift() as Waiting;
      const next = ready.shift();
      if (next === undefined) resolve({ done: true, value: undefined });
      else if ('error' in next) reject(next.error);
      else resolve({ done: false, value: next.value });
    }
  };
  run.emit = (outcome) => {
    if (run.state === 'running' && 'value' in outcome) ready.push(outcome);
    flush();
  };
  run.settle = (outcome) => {
    if (!run.end('ended')) return;
    if ('error' in outcome) ready.push(outcome);
    flush();
  };
  if (early !== undefined) {
    run.emit(early);
    run.settle(early);
  }
  const iterator: AsyncIterator<unknown> = {
    next: () => {
      run.pulls++;
      return new Promise((resolve, reject) => {
        waiting.push({ resolve, reject });
        flush();
      });
    },
    return: () => {
      run.end('left');
      flush();
      return Promise.resolve({ done: true, value: undefined });
    },
  };
  return { [Symbol.asyncIterator]: () => iterator };
}
