import type { DataFactoryRecipe } from '../../../data/port/data-recipe.js';
import { EtcdDataService } from './etcd-data.service.js';
import { resolveEtcdDataOptions, type EtcdDataOptions } from './etcd-data-options.js';

/**
 * A recipe for an {@link EtcdDataService}. It needs the package `etcd3`.
 *
 * @throws ResilienceConfigurationError for a wrong option.
 *
 * @example
 * ```ts
 * ResilienceModule.forRoot({ dataService: etcdData({ hosts: ['http://10.0.0.1:2379', 'http://10.0.0.2:2379'] }) });
 * ```
 *
 * @publicApi
 */
export function etcdData(options: EtcdDataOptions): DataFactoryRecipe {
  const checked = resolveEtcdDataOptions(options);
  return { useFactory: () => EtcdDataService.open(checked) };
}
