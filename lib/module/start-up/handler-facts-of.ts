import { RequestMethod } from '@nestjs/common';
import type { AnyFunction } from '../../guarded/guarded-method.js';
import type { HandlerFacts } from '../../planning/lint/handler-facts.js';

/** As `@nestjs/microservices` marks handlers of events; it need not be there. */
const EVENT = 2;

/** What Nest's decorators say of who calls a method; undefined: nobody from outside does. */
export function handlerFactsOf(method: AnyFunction): HandlerFacts | undefined {
  const said = (key: string): unknown => Reflect.getMetadata(key, method) as unknown;
  const verb = said('method');
  if (said('path') !== undefined && typeof verb === 'number')
    return { calledBy: RequestMethod[verb] ?? 'GET', streams: said('__sse__') === true };
  if (said('microservices:pattern') !== undefined)
    return said('microservices:handler_type') === EVENT
      ? { calledBy: 'EVENT', streams: false }
      : { calledBy: 'MESSAGE', streams: true };
  const operation = said('graphql:resolver_type');
  if (typeof operation === 'string')
    return { calledBy: operation.toUpperCase(), streams: operation === 'Subscription' };
  return said('message') === undefined ? undefined : { calledBy: 'MESSAGE', streams: true };
}
