import type { Observer, Subscription } from 'rxjs';
import { Observable, Subscriber } from 'rxjs';
import { callListener } from '../port/call-listener.js';

/**
 * An Observable whose direct subscribers hurt nobody: what a callback throws, or what a promise that it gives rejects
 * with, is reported, where rxjs would end the process. What comes behind `pipe()` is reported by rxjs itself.
 */
export class GuardedObservable<T> extends Observable<T> {
  /** @param report told of what went wrong in a callback. */
  constructor(
    source: Observable<T>,
    private readonly report: (error: unknown) => void,
  ) {
    super((subscriber) => source.subscribe(subscriber));
  }

  override subscribe(
    observerOrNext?: Partial<Observer<T>> | ((value: T) => void) | null,
    error?: ((error: unknown) => void) | null,
    complete?: (() => void) | null,
  ): Subscription {
    // An operator's, or that of firstValueFrom and the like.
    if (observerOrNext instanceof Subscriber) return super.subscribe(observerOrNext);
    const observer =
      typeof observerOrNext === 'object' && observerOrNext !== null
        ? observerOrNext
        : { next: observerOrNext ?? undefined, error: error ?? undefined, complete: complete ?? undefined };
    return super.subscribe({
      next: (value) => callListener(() => observer.next?.(value), this.report),
      error: (problem: unknown) => callListener(() => observer.error?.(problem), this.report),
      complete: () => callListener(() => observer.complete?.(), this.report),
    });
  }
}
