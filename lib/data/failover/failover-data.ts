import type { DataFactoryRecipe } from '../port/data-recipe.js';
import { FailoverDataService } from './failover-data.service.js';
import type { FailoverDataOptions } from './failover-options.js';
import { resolveFailoverOptions } from './resolve-options.js';

/**
 * A recipe for a {@link FailoverDataService}.
 *
 * @throws ResilienceConfigurationError for a wrong option.
 *
 * @example
 * ```ts
 * ResilienceModule.forRoot({
 *   dataService: failoverData({
 *     primary: databaseData({ url: 'mysql://shop@db-1/shop' }),
 *     standbys: [{ replica: databaseData({ url: 'mysql://shop@db-2/shop' }) }],
 *     reads: 'fallback',
 *     writes: 'queue',
 *     queue: { path: '/var/lib/shop/queue' },
 *   }),
 * });
 * ```
 *
 * @publicApi
 */
export function failoverData(options: FailoverDataOptions): DataFactoryRecipe {
  resolveFailoverOptions(options);
  const copy = { ...options };
  return { useFactory: () => FailoverDataService.open(copy) };
}
