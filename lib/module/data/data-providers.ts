import type { InjectionToken, Provider } from '@nestjs/common';
import type { DataRecipe } from '../../data/data-recipe.js';
import { DataService } from '../../data/data.service.js';
import { getDataServiceToken } from '../../data/inject-data-service.decorator.js';
import { OwnedDataServices } from './owned-data-services.js';

/** The data services that the options ask for. */
export interface DataOptions {
  dataService?: DataRecipe | undefined;
  dataServices?: Readonly<Record<string, DataRecipe>> | undefined;
}

/** Providers for data services, and the tokens under which the app finds them. */
export function dataProviders({ dataService, dataServices = {} }: DataOptions): {
  providers: Provider[];
  tokens: InjectionToken[];
} {
  const recipes: [InjectionToken, DataRecipe][] = Object.entries(dataServices).map(([name, recipe]) => [
    getDataServiceToken(name),
    recipe,
  ]);
  if (dataService !== undefined) recipes.push([DataService, dataService]);
  return {
    providers:
      recipes.length === 0
        ? []
        : [OwnedDataServices, ...recipes.flatMap(([token, recipe]) => providersOf(token, recipe))],
    tokens: recipes.map(([token]) => token),
  };
}

/** What the module creates it also closes; a value belongs to whoever made it. */
function providersOf(provide: InjectionToken, recipe: DataRecipe): Provider[] {
  if ('useValue' in recipe || 'useExisting' in recipe) return [{ provide, ...recipe }];
  if ('useClass' in recipe) {
    const created = Symbol('created data service');
    const adopt = (owned: OwnedDataServices, service: DataService): DataService => owned.adopt(service);
    return [
      { provide: created, useClass: recipe.useClass },
      { provide, inject: [OwnedDataServices, created], useFactory: adopt },
    ];
  }
  const { useFactory, inject = [] } = recipe;
  return [
    {
      provide,
      inject: [OwnedDataServices, ...inject],
      useFactory: async (owned: OwnedDataServices, ...args: unknown[]) =>
        owned.adopt(await (useFactory as (...args: unknown[]) => DataService | Promise<DataService>)(...args)),
    },
  ];
}
