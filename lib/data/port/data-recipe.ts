import type { ClassProvider, ExistingProvider, FactoryProvider, ValueProvider } from '@nestjs/common';
import type { DataService } from './data.service.js';

/** A recipe that makes the service by a function, with what `inject` names as its arguments. */
export type DataFactoryRecipe = Pick<FactoryProvider<DataService>, 'useFactory' | 'inject'>;

/**
 * How to get a {@link DataService}: a Nest provider without its `provide`. What a recipe creates is closed with the
 * app; a `useValue` belongs to whoever made it.
 *
 * @publicApi
 */
export type DataRecipe =
  | DataFactoryRecipe
  | Pick<ClassProvider<DataService>, 'useClass'>
  | Pick<ExistingProvider<DataService>, 'useExisting'>
  | Pick<ValueProvider<DataService>, 'useValue'>;
