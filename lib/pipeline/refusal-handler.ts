import { isRefusal } from '../errors/resilience.exception.js';
import type { Policy } from '../kernel/policy.js';
import { rejection } from '../kernel/rejection.js';
import type { PipelineCall } from './call.js';

/**
 * Lets a call answer its own refusals, where whoever made it has said how. The error of a handler goes to the caller: no
 * fallback mends it.
 */
export const REFUSAL_HANDLER: Policy = {
  execute(call, next) {
    const { onRefused } = (call as PipelineCall).origin;
    if (onRefused === undefined) return next(call);
    return next(call).then(undefined, (error: unknown) =>
      isRefusal(error) ? onRefused(error, (call as PipelineCall).substitute()) : rejection(error),
    );
  },
};
