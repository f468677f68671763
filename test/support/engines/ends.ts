import type { End } from './script.js';

/** What a run of the guarded work gives, or the error with which it ends. */
export type Outcome = { value: unknown } | { error: unknown };

/** A value or an error of its own for each run, so that nobody can mistake one for another. */
export function outcomeOf(end: End, run: string): Outcome {
  switch (end) {
    case 'answer':
      return { value: `answer of run ${run}` };
    case 'empty':
      return { value: undefined };
    case 'again':
    case 'bad':
      return { value: end };
    case 'down':
      return { error: Object.assign(new Error(`run ${run} is down`), { code: 'DOWN' }) };
    case 'client':
      return { error: Object.assign(new Error(`run ${run} was asked wrongly`), { status: 400 }) };
    case 'busy':
      return {
        error: Object.assign(new Error(`run ${run} is busy`), { status: 503, headers: { 'retry-after': '0.021' } }),
      };
    case 'declined':
      return { error: Object.assign(new Error(`run ${run} declined`), { code: 'DECLINED' }) };
    case 'nothing':
      return { error: undefined };
  }
}
