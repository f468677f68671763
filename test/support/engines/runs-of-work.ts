import { asker } from './asker.js';
import { outcomeOf, type Outcome } from './ends.js';
import { RESULTS } from './results-of-runs.js';
import { Run } from './run.js';
import type { End, Gives, Manner } from './script.js';

/**
 * The guarded work of one world. Runs are numbered for each call by itself: which of two calls goes first in an instant
 * that they share is nobody's promise.
 */
export class RunsOfWork {
  readonly #all: Run[] = [];

  constructor(readonly manners: readonly Manner[]) {}

  /** Those of the first call first, each call's in the order in which they began. */
  get all(): Run[] {
    return this.#all.toSorted((a, b) => a.call - b.call);
  }

  get running(): Run[] {
    return this.all.filter(({ state }) => state === 'running');
  }

  settle(pick: number, end: End): void {
    const run = this.#pick(pick);
    run?.settle(outcomeOf(end, run.id));
  }

  emit(pick: number, end: End): void {
    const run = this.#pick(pick);
    run?.emit(outcomeOf(end, run.id));
  }

  #pick(pick: number): Run | undefined {
    const { running } = this;
    return running[pick % Math.max(1, running.length)];
  }

  /**
   * Begins a run and gives what it returns.
   *
   * @param nested calls the other method, for a run that may do so.
   */
  begin(what: string, signal: AbortSignal | undefined, gives: Gives, nested?: () => unknown): unknown {
    const call = asker.getStore() ?? 0;
    const before = this.#all.filter((other) => other.call === call).length;
    const run = new Run(call, `${call}.${before + 1}`, what, signal);
    const manner = this.manners[(call + before) % this.manners.length] as Manner;
    this.#all.push(run);
    const early = earlyOutcome(manner, run.id);
    if (manner === 'throws' || (gives === 'value' && manner === 'rejects')) {
      run.end('threw');
      throw (outcomeOf('down', run.id) as { error: unknown }).error;
    }
    if (manner === 'nests' && nested !== undefined && gives === 'promise') {
      run.end('nests');
      const inner = nested() as Promise<unknown>;
      const over = (): void => run.over('');
      inner.then(over, over);
      return inner;
    }
    if (gives === 'value') {
      run.end('gave');
      return `answer of run ${run.id}`;
    }
    const result = RESULTS[gives](run, early);
    if (manner === 'obeys its signal') obey(run);
    return result;
  }
}

function earlyOutcome(manner: Manner, run: string): Outcome | undefined {
  if (manner === 'answers') return outcomeOf('answer', run);
  return manner === 'rejects' ? outcomeOf('down', run) : undefined;
}

function obey(run: Run): void {
  const { signal } = run;
  if (signal === undefined) return;
  const stop = (): void => run.settle({ error: signal.reason as unknown });
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop, { once: true });
}
