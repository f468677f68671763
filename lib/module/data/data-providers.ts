import type { InjectionToken, Provider } from '@nestjs/common';
import type { DataFactoryRecipe, DataRecipe } from '../../data/port/data-recipe.js';
import { DataService } from '../../data/port/data.service.js';
import { getDataServiceToken } from '../../data/port/inject-data-service.decorator.js';
import { ResilienceConfigurationError } from '../../errors/configuration.error.js';
import { isPlainObject, show } from '../../kernel/options/check.js';
import { checkRecipe, checkService } from './check-data.js';
import { OwnedDataServices } from './owned-data-services.js';

/** The data services that the options ask for. */
export interface DataOptions {
  dataService?: DataRecipe | undefined;
  dataServices?: Readonly<Record<string, DataRecipe>> | undefined;
}

/** One of them. */
export interface WantedDataService {
  /** Where its recipe is written: `ResilienceModule.forRoot, dataServices.orders`. */
  readonly place: string;
  readonly token: InjectionToken;
  readonly recipe: DataRecipe;
}

/**
 * Each data service that the options ask for.
 *
 * @param place `ResilienceModule.forRoot`.
 * @throws ResilienceConfigurationError
 */
export function wantedDataServices(
  place: string,
  { dataService, dataServices = {} }: DataOptions,
): WantedDataService[] {
  if (!isPlainObject(dataServices)) {
    const problem = `expected an object of provider recipes by name, got ${show(dataServices)}`;
    throw new ResilienceConfigurationError(`${place}, dataServices`, problem);
  }
  const wanted = Object.entries(dataServices).map(([name, recipe]) => named(`${place}, dataServices`, name, recipe));
  if (dataService !== undefined) {
    wanted.push({ place: `${place}, dataService`, token: DataService, recipe: dataService });
  }
  return wanted;
}

function named(place: string, name: string, recipe: DataRecipe): WantedDataService {
  if (name === '') throw new ResilienceConfigurationError(place, "got the name ''; expected a non-empty string");
  return { place: `${place}.${name}`, token: getDataServiceToken(name), recipe };
}

/**
 * The providers of those data services.
 *
 * @throws ResilienceConfigurationError for a wrong recipe.
 */
export function dataProviders(wanted: readonly WantedDataService[]): Provider[] {
  return wanted.length === 0 ? [] : [OwnedDataServices, ...wanted.flatMap(providersOf)];
}

/** What the module creates it also closes; a value belongs to whoever made it. */
function providersOf({ place, token: provide, recipe }: WantedDataService): Provider[] {
  checkRecipe(place, recipe);
  if ('useValue' in recipe) {
    checkService(place, 'useValue', recipe.useValue);
    return [{ provide, useValue: recipe.useValue }];
  }
  if ('useExisting' in recipe) {
    const check = (service: unknown): DataService => {
      checkService(place, 'useExisting', service);
      return service;
    };
    return [{ provide, inject: [recipe.useExisting as InjectionToken], useFactory: check }];
  }
  if ('useClass' in recipe) {
    const created = Symbol(`${recipe.useClass.name} (${place})`);
    return [
      { provide: created, useClass: recipe.useClass },
      adopting(place, provide, 'useClass', [created], (service) => service),
    ];
  }
  const { useFactory, inject = [] } = recipe;
  return [adopting(place, provide, 'useFactory', inject, useFactory as (...args: unknown[]) => unknown)];
}

/** A provider of what `make` makes of `inject`, which is closed with the app. */
function adopting(
  place: string,
  provide: InjectionToken,
  origin: string,
  inject: NonNullable<DataFactoryRecipe['inject']>,
  make: (...args: unknown[]) => unknown,
): Provider {
  return {
    provide,
    inject: [OwnedDataServices, ...inject],
    useFactory: (owned: OwnedDataServices, ...args: unknown[]) =>
      owned.adopt(async () => {
        const service = await make(...args);
        checkService(place, origin, service);
        return service;
      }),
  };
}
