import type { CanActivate, Type } from '@nestjs/common';
import { propertyOf } from '../errors/foreign.js';
import type { Expectation } from '../kernel/options/check.js';

/** A guard as `@UseGuards` takes it: its class, or an instance. */
export type Guard = Type<CanActivate> | CanActivate;

/** What an option that lists guards accepts. */
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
