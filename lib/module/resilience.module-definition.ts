import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { DataRecipe } from '../data/port/data-recipe.js';
import { ResilienceConfigurationError } from '../errors/configuration.error.js';
import {
  aBoolean,
  aName,
  checkOptions,
  fraction,
  isPlainObject,
  offOr,
  oneOf,
  positiveMs,
  show,
  type Expectation,
} from '../kernel/options/check.js';
import type { StartRampOptions } from '../kernel/start-ramp.js';
import type { PolicySet } from '../policies/policy-set.js';
import { resolveIncoming, wantsIncoming, type IncomingOptions } from './incoming/incoming.options.js';
import { resolveDrain, type DrainOptions } from './shutdown/drain.options.js';
import type { LintOptions } from '../planning/lint/lint-options.js';
import type { RuleSource } from '../rules/rule-source.js';
import {
  parseSystemProtection,
  type SystemProtectionOptions,
} from '../policies/system-protection/system-protection.options.js';
import { expectingOptions, importedAsItIs } from './given-options.js';

/**
 * What the app sets up once.
 *
 * @publicApi
 */
export interface ResilienceModuleOptions {
  /** Policy sets by name. `default` gives values to the policies that a method asks for; it adds none by itself. */
  policies?: Readonly<Record<string, PolicySet>>;
  /** `false`: only Fallback and Recover stay; so does the environment variable BULWARK_DISABLED=1 (or true, yes, on). @default true */
  enabled?: boolean;
  /** Sheds incoming HTTP requests before the process drowns; `true`: with the defaults. @default false */
  systemProtection?: SystemProtectionOptions | boolean;
  /**
   * Where rules come from that change policies while the app runs: a JSON or YAML file, which is watched, or a source of
   * your own. What is wrong with them at start fails the start; later the rules in force stay.
   *
   * @default none; `ResilienceService.rules` takes rules from code
   */
  rules?: { file: string } | { source: RuleSource };
  /**
   * Whether `currentCall()` knows the running call, guarded calls inherit its deadline, and a call that meets its own
   * bulkhead runs on the slot of the call around it; it costs 300-440 ns a call. @default false
   */
  callContext?: boolean;
  /**
   * What stands in the app's log, under `Bulwark`. `'changes'`: each change of state of a breaker (opening: as a
   * warning, with the reason), when shedding begins and ends, changes of rules, calls that were not tried again and why,
   * tables without room for more keys, and calls that a breaker's own time limit has cut; what is said again within a
   * minute is counted, and one line gives the number (of changes of a state: those after the tenth). `'all'`: every
   * event. `false`: none of these.
   *
   * @default 'changes'
   */
  log?: 'changes' | 'all' | false;
  /**
   * Which warnings the start gives of plans that are legal but wrong; `false`: none; `{ off }`: all but these. `log: false`
   * writes none of them; `plan()` shows them all the same.
   *
   * @example
   * lint: { off: ['backoff-without-jitter'] }
   * @default all
   */
  lint?: false | LintOptions;
  /**
   * How the limits of bulkheads and of `systemProtection` grow when the app starts, where they are numbers: they begin with the
   * share `from` (0 to 1) of themselves and are whole after `over` ms; one call may always run. An adaptive limit finds its own
   * way, and a rate limit has `warmUp`.
   *
   * @default they are whole at once
   */
  startUp?: StartRampOptions;
  /** How `ResilienceService.drain()` ends the app's work. @default { delay: 5_000, grace: 20_000 } */
  shutdown?: DrainOptions;
}

/** Options that decide which providers the module has, so that they stand beside a factory of the others. */
export interface ResilienceModuleExtras extends IncomingOptions {
  /** What stands behind `DataService`. @default nothing */
  dataService?: DataRecipe;
  /** Further data services, for `@InjectDataService(name)`. @default none */
  dataServices?: Readonly<Record<string, DataRecipe>>;
  /**
   * Whether {@link ResilienceExceptionFilter} answers for the whole app, its gateways included. Filters of the app's own go
   * first.
   *
   * @default false
   */
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

const EXTRA_KEYS = [
  'dataService',
  'dataServices',
  'exceptionFilter',
  'deadlines',
  'abortOnDisconnect',
  'staleHeaders',
] as const;

const EXTRAS: ResilienceModuleExtras = {
  dataService: undefined,
  dataServices: undefined,
  exceptionFilter: false,
  deadlines: undefined,
  abortOnDisconnect: undefined,
  staleHeaders: undefined,
};

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN, OPTIONS_TYPE, ASYNC_OPTIONS_TYPE } = expectingOptions(
  'ResilienceModule',
  new ConfigurableModuleBuilder<ResilienceModuleOptions>({ moduleName: 'Resilience' })
    .setClassMethodName('forRoot')
    .setFactoryMethodName('createResilienceOptions')
    .setExtras<ResilienceModuleExtras>(EXTRAS, (definition) => ({ ...definition, global: true }))
    .build(),
  EXTRA_KEYS,
);

const anything: Expectation = {
  expected: 'an object of policy sets',
  accepts: (value) => typeof value === 'object' && value !== null,
};

/** The options that decide on providers, for the checks at start. */
export const EXTRAS_TOKEN = Symbol('nestjs-bulwark:extras');

/** What stands for the options where the module is imported without forRoot(). */
export const NO_OPTIONS: unique symbol = Symbol('nestjs-bulwark:no options');

const ramp: Expectation = {
  expected: '{ over: ms above 0, from: a number from 0 to 1 }',
  accepts: (value) =>
    isPlainObject(value) &&
    Object.keys(value).length === 2 &&
    positiveMs.accepts(value.over) &&
    fraction.accepts(value.from),
};

const rulesFrom: Expectation = {
  expected: "{ file: 'rules.yaml' }, or { source } with read(), watch() and close()",
  accepts: (value) => {
    if (!isPlainObject(value) || Object.keys(value).length !== 1) return false;
    if ('file' in value) return aName.accepts(value.file);
    const { source } = value;
    return isPlainObject(source) && ['read', 'watch', 'close'].every((method) => typeof source[method] === 'function');
  },
};
/** For what another place checks. */
const unchecked: Expectation = { expected: 'anything', accepts: () => true };

/**
 * Checks everything that was given to `forRoot`, or what a factory gave and what stood beside it.
 *
 * @throws ResilienceConfigurationError
 */
export function checkModuleOptions(options: unknown, extras: ResilienceModuleExtras): void {
  if (options === NO_OPTIONS) throw importedAsItIs('ResilienceModule');
  const place = 'ResilienceModule.forRoot';
  if (!isPlainObject(options)) {
    throw new ResilienceConfigurationError(place, `expected an options object, got ${show(options)}`);
  }
  const misplaced = EXTRA_KEYS.find((key) => Object.hasOwn(options, key));
  if (misplaced !== undefined) {
    const problem = `option '${misplaced}' decides on providers: expected beside useFactory, not in what it gives`;
    throw new ResilienceConfigurationError(place, problem);
  }
  const { dataService, dataServices, exceptionFilter, deadlines, abortOnDisconnect, staleHeaders } = extras;
  checkOptions<ResilienceModuleOptions & ResilienceModuleExtras>(
    place,
    { ...options, dataService, dataServices, exceptionFilter, deadlines, abortOnDisconnect, staleHeaders },
    {
      policies: anything,
      enabled: aBoolean,
      systemProtection: unchecked,
      callContext: aBoolean,
      log: offOr(oneOf('changes', 'all')),
      lint: unchecked,
      rules: rulesFrom,
      dataService: unchecked,
      dataServices: unchecked,
      exceptionFilter: aBoolean,
      deadlines: unchecked,
      abortOnDisconnect: unchecked,
      staleHeaders: aBoolean,
      shutdown: unchecked,
      startUp: ramp,
    },
  );
  resolveIncoming(place, extras);
  resolveDrain(`${place}.shutdown`, options.shutdown);
  if (wantsIncoming(extras) && options.callContext !== true) {
    throw new ResilienceConfigurationError(
      place,
      "options 'deadlines', 'abortOnDisconnect' and 'staleHeaders: true' need to know the running call: expected callContext: true beside them",
    );
  }
  parseSystemProtection(`${place}.systemProtection`, options.systemProtection);
}
