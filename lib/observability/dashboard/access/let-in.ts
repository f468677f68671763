import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { lastValueFrom } from 'rxjs';
import { isObservableLike } from '../../../errors/foreign.js';

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
