import type { ModulesContainer } from '@nestjs/core';
import { ResilienceConfigurationError } from '../../errors/configuration.error.js';
import { EXTRAS_TOKEN } from '../resilience.module-definition.js';

/** Whoever gave options to the module did so once. @throws ResilienceConfigurationError */
export function checkRoots(container: ModulesContainer): void {
  // Only the root module has this provider, with one copy of the package in the process as with two.
  const roots = [...container.values()].filter(({ providers }) => providers.has(EXTRAS_TOKEN));
  if (roots.length <= 1) return;
  throw new ResilienceConfigurationError(
    'ResilienceModule',
    `forRoot() or forRootAsync() is imported ${roots.length} times; expected once in an app, and forFeature() for more policy sets`,
  );
}
