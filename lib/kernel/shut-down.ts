import { ShutdownException } from '../errors/shutdown.exception.js';
import type { CallInfo } from './call-info.js';

/** Why a call ends that still runs when the app has shut down. */
export function cutByShutdown({
  className,
  methodName,
}: Pick<CallInfo, 'className' | 'methodName'>): ShutdownException {
  const instanceName = className === '' ? methodName : `${className}.${methodName}`;
  const message = `${instanceName} was still running when the app had shut down`;
  return new ShutdownException({ policy: 'shutdown', instanceName, message, running: true });
}
