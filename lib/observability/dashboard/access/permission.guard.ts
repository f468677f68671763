import { Inject, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { letIn } from './let-in.js';

/** The guards of `actionGuards` as instances; null: there are none, and nobody may act. */
export const ACTION_GUARDS = Symbol('the guards of actions');

/** Who may act, by request. */
const permitted = new WeakMap<object, boolean>();

/** Whether whoever sent a request may act; false before {@link PermissionGuard} has asked. */
export function mayAct(request: object): boolean {
  return permitted.get(request) === true;
}

/** Finds out whether a client may act, and lets it pass either way: those who may not see the page all the same. */
@Injectable()
export class PermissionGuard implements CanActivate {
  readonly #guards: readonly CanActivate[] | null;

  constructor(@Inject(ACTION_GUARDS) guards: readonly CanActivate[] | null) {
    this.#guards = guards;
  }

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<object>();
    permitted.set(request, this.#guards !== null && (await letIn(this.#guards, context)));
    return true;
  }
}
