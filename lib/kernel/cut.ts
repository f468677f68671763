import { instanceOf } from '../errors/foreign.js';
import { ShutdownException } from '../errors/shutdown.exception.js';
import { TimeoutException } from '../errors/timeout.exception.js';
import type { Cut } from '../events/call-listener.js';
import { FasterAttemptError } from './call-info.js';

/**
 * What has cut a call or an attempt of it.
 *
 * @param error what it ended with: who waits is not cut by a shutdown, but refused.
 * @param byCaller whether the cut came from outside the call: a limit of the call around it is its caller's affair.
 */
export function cutOf(
  error: unknown,
  cut: { readonly reason: unknown } | undefined,
  byCaller: boolean,
): Cut | undefined {
  if (instanceOf(error, ShutdownException)) return 'shutdown';
  return cut === undefined ? undefined : cutBy(cut.reason, byCaller);
}

function cutBy(reason: unknown, byCaller: boolean): Cut {
  if (instanceOf(reason, ShutdownException)) return 'shutdown';
  if (byCaller) return 'caller';
  if (instanceOf(reason, FasterAttemptError)) return 'hedge';
  if (!instanceOf(reason, TimeoutException)) return 'caller';
  return reason.details?.scope === 'total' ? 'total' : 'perAttempt';
}
