import type { ModulesContainer } from '@nestjs/core';
import { guardedLineage, guardedMethodOf, recordOf } from '../../guarded/guarded-classes.js';
import type { AnyClass, AnyFunction, GuardedMethod } from '../../guarded/guarded-method.js';
import type { AppPlans } from '../../planning/app-plans.js';
import { remembersLastGood } from '../../policies/fallback/fallback.kind.js';
import { handlersOf } from '../start-up/find-interceptions.js';

/** @see https://github.com/nestjs/nest packages/common/constants.ts, packages/common/enums/route-paramtypes.enum.ts */
const ROUTE_ARGUMENTS = '__routeArguments__';
const RESPONSE_PASSTHROUGH = '__responsePassthrough__';
const RESPONSE = 1;
const NEXT = 2;

/** What others than HTTP call. */
const OTHER_TRANSPORTS = ['microservices:pattern', 'message', 'graphql:resolver_type'];

type RouteArguments = Readonly<Record<string, { readonly index: number }>>;

/**
 * Lets Nest hand the response, as by `@Res({ passthrough: true })`, to handlers of HTTP that may answer with a last good answer:
 * nothing else than an argument leads from a call of a handler to its request. The wrapper keeps it from the method. It is to be
 * called before Nest makes the routes.
 */
export function handResponses(container: ModulesContainer, app: AppPlans): void {
  for (const { controllers } of container.values()) {
    for (const { metatype } of controllers.values()) {
      const type = metatype as AnyClass;
      for (const [name, handler] of handlersOf(type)) {
        const method = guardedMethodOf(type, name);
        if (method !== undefined && isOfHttpAlone(handler) && mayRemember(app, method, type)) hand(type, method);
      }
    }
  }
}

function isOfHttpAlone(handler: AnyFunction): boolean {
  const has = (key: string): boolean => Reflect.hasMetadata(key, handler);
  return has('path') && has('method') && !OTHER_TRANSPORTS.some(has);
}

/** Sets of feature modules may not be there yet. */
function mayRemember(app: AppPlans, method: GuardedMethod, type: AnyClass): boolean {
  try {
    const fallback = app.planner.resolve(method, type).policies.get('fallback');
    return fallback !== undefined && remembersLastGood(fallback.options);
  } catch {
    return true;
  }
}

/** All apps of the process share the metadata of a class: it is done once. */
function hand(type: AnyClass, { methodName, parameterCount, wrapper }: GuardedMethod): void {
  const { responses } = recordOf(type);
  const known = guardedLineage(type).find(([, record]) => record.responses.has(methodName));
  if (known !== undefined) {
    const [owner, record] = known;
    const inherited = Reflect.getMetadata(ROUTE_ARGUMENTS, owner, methodName) as unknown;
    if (inherited === Reflect.getMetadata(ROUTE_ARGUMENTS, type, methodName)) {
      responses.set(methodName, record.responses.get(methodName) as { at: number; count: number });
      return;
    }
  }
  const args = (Reflect.getMetadata(ROUTE_ARGUMENTS, type, methodName) ?? {}) as RouteArguments;
  const count = Math.max(-1, ...Object.values(args).map(({ index }) => index)) + 1;
  const at = Math.max(count, parameterCount ?? wrapper.length);
  // Whoever has asked for the response without `passthrough` answers by hand, and goes on to do so.
  const byHand = Object.keys(args).some((key) => [RESPONSE, NEXT].includes(Number.parseInt(key, 10)));
  if (!byHand) Reflect.defineMetadata(RESPONSE_PASSTHROUGH, true, type, methodName);
  Reflect.defineMetadata(
    ROUTE_ARGUMENTS,
    { ...args, [`${RESPONSE}:${at}`]: { index: at, pipes: [] } },
    type,
    methodName,
  );
  responses.set(methodName, { at, count });
}
