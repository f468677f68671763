import type { CanActivate, ExecutionContext, Type } from '@nestjs/common';
import { lastValueFrom } from 'rxjs';
import { isObservableLike, propertyOf } from '../../../errors/foreign.js';
import type { Expectation } from '../../../kernel/options/check.js';

/** A guard as `@UseGuards` takes it: its class, or an instance. */
export type Guard = Type<CanActivate> | CanActivate;

/** What the option `guards` accepts. */
export const guardList: Expectation = {
  expected: 'a list of guards: classes, or instances, with canActivate()',
  accepts: (value) => Array.isArray(value) && value.every((one) => isGuardClass(one) || hasCanActivate(one)),
};

export function isGuardClass(value: unknown): value is Type<CanActivate> {
  return typeof value === 'function' && hasCanActivate(value.prototype);
}

function hasCanActivate(value: unknown): boolean {
  return typeof propertyOf(value, 'canActivate') === 'function';
}

/** Whether all of them let a request in; one that throws does not. */
export async function letIn(guards: readonly CanActivate[], context: ExecutionContext): Promise<boolean> {
  try {
    for (const guard of guards) {
      const given = guard.canActivate(context);
      const answer: unknown = await (isObservableLike(given) ? lastValueFrom(given as never) : given);
      if (!answer) return false;
    }
    return true;
  } catch {
    return false;
  }
}
