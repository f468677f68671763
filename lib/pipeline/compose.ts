import type { Next } from '../kernel/call.js';
import type { Policy } from '../kernel/policy.js';
import { rejected } from '../kernel/rejection.js';
import { ORDER, type Stage } from './order.js';

export type Stages = Partial<Record<Stage, Policy>>;

/** Gives the attempt a call of its own, so that cutting it leaves the call of the outer stages whole. */
const singleAttempt: Policy = { execute: (call, next) => next(call.fork(1)) };

/** Folds policies around `method`, in the order of the table. */
export function compose(stages: Stages, method: Next): Next {
  const outer = stages.recover ?? stages.fallback ?? stages['timeout.total'];
  const forks = stages.retry ?? stages.hedge;
  const needsAttempt = outer !== undefined && forks === undefined;
  const complete: Stages = needsAttempt ? { ...stages, retry: singleAttempt } : stages;
  return ORDER.reduceRight<Next>((next, stage) => {
    const policy = complete[stage];
    return policy === undefined ? next : step(policy, next);
  }, method);
}

/**
 * A policy as what comes after another one. It never throws at once, so that whoever has taken a slot, a permit or a
 * timer before it gives them back when its promise settles.
 */
function step(policy: Policy, next: Next): Next {
  const execute: Next = (call) => {
    try {
      return policy.execute(call, next);
    } catch (error) {
      return rejected(error);
    }
  };
  if (policy.executeWithRescue !== undefined)
    execute.rescued = (call, rescue) => {
      try {
        return policy.executeWithRescue?.(call, next, rescue) as Promise<unknown>;
      } catch (error) {
        return rejected(error).then(undefined, rescue);
      }
    };
  return execute;
}
