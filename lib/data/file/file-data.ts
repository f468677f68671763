import type { DataFactoryRecipe } from '../port/data-recipe.js';
import { FileDataService } from './file-data.service.js';
import type { FileDataOptions } from './file-options.js';
import { resolveFileOptions } from './file-options.js';

/**
 * A recipe for a {@link FileDataService}.
 *
 * @throws ResilienceConfigurationError for a wrong option.
 *
 * @example
 * ```ts
 * ResilienceModule.forRoot({ dataService: fileData({ path: './data' }) });
 * ```
 *
 * @publicApi
 */
export function fileData(options: FileDataOptions): DataFactoryRecipe {
  const checked = resolveFileOptions(options);
  return { useFactory: () => FileDataService.open(checked) };
}
