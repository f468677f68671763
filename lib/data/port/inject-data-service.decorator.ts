import type { InjectionToken } from '@nestjs/common';
import { Inject } from '@nestjs/common';
import { refuseWithoutParentheses } from '../../errors/without-parentheses.js';
import { DataService } from './data.service.js';

/**
 * The DI token of a data service: the `DataService` class itself, or, for one of several, the token of that name.
 *
 * @throws TypeError for an empty name.
 *
 * @example
 * ```ts
 * Test.createTestingModule({ imports: [AppModule] }).overrideProvider(getDataServiceToken('orders')).useValue(fake);
 * ```
 *
 * @publicApi
 */
export function getDataServiceToken(name?: string): InjectionToken<DataService> {
  if (name === undefined) return DataService;
  if (typeof name !== 'string' || name === '') {
    throw new TypeError(`The name of a data service is ${JSON.stringify(name)}; expected a non-empty string`);
  }
  // A registered symbol, so that the package's ESM and CommonJS faces agree on it.
  return Symbol.for(`nestjs-bulwark:DataService:${name}`);
}

/**
 * Injects the app's data service, or one of several by its name.
 *
 * @example
 * ```ts
 * constructor(@InjectDataService('orders') private readonly orders: DataService) {}
 * ```
 *
 * @publicApi
 */
export function InjectDataService(name?: string): PropertyDecorator & ParameterDecorator;
export function InjectDataService(...args: unknown[]): PropertyDecorator & ParameterDecorator {
  refuseWithoutParentheses('@InjectDataService()', args);
  const [name] = args as [name?: string];
  return Inject(getDataServiceToken(name));
}
