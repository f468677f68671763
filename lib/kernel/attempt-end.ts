import { instanceOf } from '../errors/foreign.js';
import { ShutdownException } from '../errors/shutdown.exception.js';
import type { Attempt } from './attempt.js';
import { FasterAttemptError } from './call-info.js';
import type { Failure } from './outcome/failure.js';

/**
 * What has become of an attempt that ended with an error:
 * - `refused`: a policy turned it away, one inside its method included;
 * - `lost`: a faster attempt beside it answered;
 * - `notBegun`: it was cut before its method was called;
 * - `shutDown`: the end of the app cut it;
 * - `left`: its consumer has had what he wanted of the stream;
 * - `aborted`: its caller gave up;
 * - `answered`: the dependency worked and said no;
 * - `failure`: it did not do its work.
 */
export type AttemptEnd = 'refused' | 'lost' | 'notBegun' | 'shutDown' | 'left' | 'aborted' | 'answered' | 'failure';

/** The one place that says so; breakers add what their options say. */
export function endOf(attempt: Attempt, failure: Failure): AttemptEnd {
  const { aborted, reason } = attempt;
  const { kind } = failure.judge(aborted, reason);
  if (kind === 'refused') return 'refused';
  if (aborted && kind === 'aborted' && instanceOf(reason, FasterAttemptError)) return 'lost';
  if (aborted && attempt.startedAt === undefined) return 'notBegun';
  if (kind !== 'aborted') return kind;
  if (instanceOf(failure.error, ShutdownException) || instanceOf(reason, ShutdownException)) return 'shutDown';
  return attempt.rare?.emitted === true ? 'left' : 'aborted';
}
