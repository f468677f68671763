import { instanceOf } from '../errors/foreign.js';
import { ShutdownException } from '../errors/shutdown.exception.js';
import { TimeoutException } from '../errors/timeout.exception.js';
import type { Cut } from '../events/call-listener.js';
import type { Attempt } from './attempt.js';
import { FasterAttemptError } from './call-info.js';

/** What can be cut by its caller, as a whole. */
interface Whole {
  readonly aborted: boolean;
  readonly reason: unknown;
}

/** What has cut an attempt of `call`; undefined: nothing. */
export function cutOf(
  { aborted, reason }: Pick<Attempt, 'aborted' | 'reason'>,
  call: Whole | undefined,
): Cut | undefined {
  return aborted ? cutBy(reason, call?.aborted === true && call.reason === reason) : undefined;
}

/** @param byCaller whether it came from outside the call: a limit of the call around it is its caller's affair. */
export function cutBy(reason: unknown, byCaller: boolean): Cut {
  if (instanceOf(reason, ShutdownException)) return 'shutdown';
  if (byCaller) return 'caller';
  if (instanceOf(reason, FasterAttemptError)) return 'hedge';
  if (!instanceOf(reason, TimeoutException)) return 'caller';
  return reason.details?.scope === 'total' ? 'total' : 'perAttempt';
}
