import { instanceOf, stackOf } from '../../errors/foreign.js';
import { ResilienceException } from '../../errors/resilience.exception.js';
import { TimeoutException } from '../../errors/timeout.exception.js';
import { describeError, textOf } from '../../kernel/error-text.js';
import type { Saying } from './repeats.js';

/**
 * What Recover has caught, as it is logged. A refusal has no stack there: it says where a call was turned away, and not
 * what is wrong. Errors that differ in numbers alone are of one kind.
 */
export function ofRecovered(place: string, error: unknown): Saying {
  const again = `${place} recovered from`;
  const isRefusal = instanceOf(error, ResilienceException) && !instanceOf(error, TimeoutException);
  const what = isRefusal ? error.code : describeError(error).replace(/\d+/g, '#');
  return {
    kind: `recovered ${place} ${what}`,
    level: 'error',
    text: () => `${again}: ${textOf(error)}`,
    stack: () => (isRefusal ? undefined : stackOf(error)),
    again: `${again}: ${isRefusal ? what : describeError(error)}`,
    group: { name: `recovered ${place}`, again: `${again} errors of other kinds` },
  };
}
