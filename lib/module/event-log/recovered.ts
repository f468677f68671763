import { instanceOf, propertyOf, stackOf } from '../../errors/foreign.js';
import { isRefusal, ResilienceException } from '../../errors/resilience.exception.js';
import { ShutdownException } from '../../errors/shutdown.exception.js';
import { describeError, textOf } from '../../kernel/error-text.js';
import type { Saying } from './repeats.js';

/**
 * What Recover has caught, as it is logged. A refusal has no stack there: it says where a call was turned away, and not
 * what is wrong. Errors that differ in numbers alone are of one kind.
 */
export function ofRecovered(place: string, error: unknown): Saying {
  const again = `${place} recovered from`;
  // A timeout that came before the method began is a refusal, too; a running method that the shutdown has cut has no fault.
  const wasRefused = isRefusal(error) || instanceOf(error, ShutdownException);
  const what = wasRefused ? error.code : describeError(error).replace(/\d+/g, '#');
  return {
    kind: `recovered ${place} ${what}`,
    level: 'error',
    text: () => `${again}: ${textOf(error)}`,
    stack: () => (wasRefused ? undefined : stackOf(error)),
    again: `${again}: ${wasRefused ? what : describeError(error)}`,
    fields: { event: 'recovered', instance: place, policy: 'recover', error: nameOf(error), code: codeOf(error) },
    group: { name: `recovered ${place}`, again: `${again} errors of other kinds` },
  };
}

function nameOf(error: unknown): string | undefined {
  const name = propertyOf(error, 'name');
  return typeof name === 'string' ? name : undefined;
}

function codeOf(error: unknown): string | undefined {
  return instanceOf(error, ResilienceException) ? error.code : undefined;
}
