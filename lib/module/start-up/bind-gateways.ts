import { Catch, type ExceptionFilter } from '@nestjs/common';
import type { ModulesContainer } from '@nestjs/core';
import { ResilienceExceptionFilter } from '../exception-filter.js';

/** @see https://github.com/nestjs/nest packages/common/constants.ts, packages/websockets/constants.ts */
const EXCEPTION_FILTERS = '__exceptionFilters__';
const IS_GATEWAY = 'websockets:is_gateway';

/** Nothing that is thrown is one. */
abstract class Nothing {}

/**
 * Stands for our filter in the metadata of a gateway, which all apps of the process share. An app that wants the
 * filter puts one in this one's place; in any other app it answers for nothing.
 */
@Catch(Nothing)
class GatewayExceptionFilter implements ExceptionFilter<Nothing> {
  catch(): void {
    // Never reached.
  }
}

/**
 * Gives {@link ResilienceExceptionFilter} to the app's gateways, since Nest gives them no global filters. It is asked
 * last, after the filters that a gateway and its handlers name themselves.
 */
export function bindGateways(container: ModulesContainer): void {
  const filter = { provide: GatewayExceptionFilter, useValue: new ResilienceExceptionFilter() };
  for (const module of container.values()) {
    let gateways = 0;
    for (const { metatype, isNotMetatype } of module.providers.values()) {
      if (isNotMetatype || typeof metatype !== 'function' || Reflect.getMetadata(IS_GATEWAY, metatype) !== true)
        continue;
      gateways++;
      addToMetadata(metatype);
    }
    if (gateways > 0) module.addInjectable(filter, 'filter');
  }
}

function addToMetadata(gateway: object): void {
  const filters = (Reflect.getMetadata(EXCEPTION_FILTERS, gateway) ?? []) as readonly unknown[];
  // Nest asks the last one first.
  if (!filters.includes(GatewayExceptionFilter))
    Reflect.defineMetadata(EXCEPTION_FILTERS, [GatewayExceptionFilter, ...filters], gateway);
}
