import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { DataRecipe } from '../data/data-recipe.js';
import { aBoolean, checkOptions, type Expectation } from '../policies/options/check.js';
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

/** @throws ResilienceConfigurationError */
export function checkModuleOptions(options: unknown): asserts options is ResilienceModuleOptions {
  checkOptions<ResilienceModuleOptions>('ResilienceModule.forRoot', options, {
    policies: anything,
    enabled: aBoolean,
    callContext: aBoolean,
  });
}
