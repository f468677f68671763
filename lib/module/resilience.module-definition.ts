import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { DataRecipe } from '../data/data-recipe.js';
import { aBoolean, checkOptions, isPlainObject, type Expectation } from '../policies/options/check.js';
import type { PolicySet } from '../policies/policy-set.js';

/**
 * What the app sets up once.
 *
 * @publicApi
 */
export interface ResilienceModuleOptions {
  /** Policy sets by name. `default` gives values to the policies that a method asks for; it adds none by itself. */
  policies?: Readonly<Record<string, PolicySet>>;
  /** `false`: only Fallback and Recover stay; so does the environment variable BULWARK_DISABLED=1. @default true */
  enabled?: boolean;
  /** Whether `currentCall()` knows the running call; it costs 300-440 ns a call. @default false */
  callContext?: boolean;
}

/** Options that decide which providers the module has, so that they stand beside a factory of the others. */
export interface ResilienceModuleExtras {
  /** What stands behind `DataService`. @default nothing */
  dataService?: DataRecipe;
  /** Further data services, for `@InjectDataService(name)`. @default none */
  dataServices?: Readonly<Record<string, DataRecipe>>;
  /** Whether {@link ResilienceExceptionFilter} answers for the whole app. @default false */
  exceptionFilter?: boolean;
}

/**
 * Gives the module's options, for `forRootAsync({ useClass })`.
 *
 * @publicApi
 */
export interface ResilienceOptionsFactory {
  createResilienceOptions(): ResilienceModuleOptions | Promise<ResilienceModuleOptions>;
}

const EXTRAS: ResilienceModuleExtras = {
  dataService: undefined,
  dataServices: undefined,
  exceptionFilter: false,
};

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN, OPTIONS_TYPE, ASYNC_OPTIONS_TYPE } =
  new ConfigurableModuleBuilder<ResilienceModuleOptions>({ moduleName: 'Resilience' })
    .setClassMethodName('forRoot')
    .setFactoryMethodName('createResilienceOptions')
    .setExtras<ResilienceModuleExtras>(EXTRAS, (definition) => ({ ...definition, global: true }))
    .build();

const anything: Expectation = {
  expected: 'an object of policy sets',
  accepts: (value) => typeof value === 'object' && value !== null,
};

/** The options that decide on providers, for the checks at start. */
export const EXTRAS_TOKEN = Symbol('nestjs-bulwark:extras');

const recipe: Expectation = {
  expected:
    'a provider recipe such as fileData({ path }), { useClass }, { useFactory }, { useExisting } or { useValue }',
  accepts: (value) =>
    isPlainObject(value) &&
    ['useClass', 'useFactory', 'useExisting', 'useValue'].some((key) => value[key] !== undefined),
};
const recipes: Expectation = {
  expected: 'an object of provider recipes',
  accepts: (value) => isPlainObject(value) && Object.values(value).every((one) => recipe.accepts(one)),
};

/** @throws ResilienceConfigurationError */
export function checkExtras({ dataService, dataServices, exceptionFilter }: ResilienceModuleExtras): void {
  checkOptions<ResilienceModuleExtras>(
    'ResilienceModule.forRoot',
    { dataService, dataServices, exceptionFilter },
    { dataService: recipe, dataServices: recipes, exceptionFilter: aBoolean },
  );
}

/** @throws ResilienceConfigurationError */
export function checkModuleOptions(options: unknown): asserts options is ResilienceModuleOptions {
  checkOptions<ResilienceModuleOptions>('ResilienceModule.forRoot', options, {
    policies: anything,
    enabled: aBoolean,
    callContext: aBoolean,
  });
}
