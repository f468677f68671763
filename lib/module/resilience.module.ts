import { Inject, Module, type DynamicModule, type OnModuleInit, type Provider } from '@nestjs/common';
import { APP_FILTER, ModulesContainer } from '@nestjs/core';
import { ResilienceConfigurationError } from '../errors/configuration.error.js';
import { isPlainObject } from '../policies/options/check.js';
import type { PolicySet } from '../policies/policy-set.js';
import { dataProviders, wantedDataServices } from './data/data-providers.js';
import { ResilienceExceptionFilter } from './exception-filter.js';
import {
  ASYNC_OPTIONS_TYPE,
  ConfigurableModuleClass,
  EXTRAS_TOKEN,
  MODULE_OPTIONS_TOKEN,
  OPTIONS_TYPE,
  type ResilienceModuleExtras,
} from './resilience.module-definition.js';
import { ResilienceService } from './resilience.service.js';
import { ResilienceRules } from './rules/resilience-rules.js';
import { RuleFeed } from './rules/rule-feed.js';
import { Runtime } from './runtime/runtime.js';
import { StartUp } from './start-up/start-up.js';
import { SystemProtection } from './system-protection/system-protection.js';
import { RUNTIME } from './tokens.js';

/**
 * Guards the methods of an app. Import it once, at the root: it is global.
 *
 * @example
 * @Module({
 *   imports: [
 *     ResilienceModule.forRoot({
 *       policies: { default: { timeout: 2_000 }, payments: { circuitBreaker: { resetTimeout: 5_000 }, retry: 3 } },
 *       dataService: fileData({ path: './data' }),
 *     }),
 *   ],
 * })
 * export class AppModule {}
 *
 * @publicApi
 */
@Module({
  // The runtime depends on nothing: whatever it is injected into, it cannot close a cycle or lend it a scope.
  providers: [
    { provide: RUNTIME, useFactory: () => new Runtime() },
    ResilienceRules,
    ResilienceService,
    StartUp,
    // After the start-up checks: rules are judged by what the app has.
    RuleFeed,
    SystemProtection,
  ],
  exports: [RUNTIME, ResilienceService],
})
export class ResilienceModule extends ConfigurableModuleClass implements OnModuleInit {
  readonly #container: ModulesContainer;
  readonly #extras: ResilienceModuleExtras;

  constructor(
    @Inject(ModulesContainer) container: ModulesContainer,
    @Inject(EXTRAS_TOKEN) extras: ResilienceModuleExtras,
  ) {
    super();
    this.#container = container;
    this.#extras = extras;
  }

  static override forRoot(options: typeof OPTIONS_TYPE = {}): DynamicModule {
    return extend('ResilienceModule.forRoot', super.forRoot(options), options);
  }

  static override forRootAsync(options: typeof ASYNC_OPTIONS_TYPE): DynamicModule {
    return extend('ResilienceModule.forRootAsync', super.forRootAsync(options), options);
  }

  /** Adds named policy sets, for the whole app; `default` belongs to the root alone. */
  static forFeature({ policies }: { policies: Readonly<Record<string, PolicySet>> }): DynamicModule {
    return {
      module: ResilienceFeatureModule,
      providers: [
        {
          provide: Symbol('policy sets'),
          inject: [RUNTIME],
          useFactory: (runtime: Runtime) => addPolicies(runtime, policies),
        },
      ],
    };
  }

  onModuleInit(): void {
    const modules = [...this.#container.values()].filter(({ metatype }) => metatype === ResilienceModule);
    if (modules.length > 1) {
      throw new ResilienceConfigurationError(
        'ResilienceModule',
        `forRoot() or forRootAsync() is imported ${modules.length} times; expected once in an app, and forFeature() for more policy sets`,
      );
    }
    const providers = modules[0]?.providers;
    if (providers?.get(MODULE_OPTIONS_TOKEN)?.isDependencyTreeStatic() === false) {
      throw new ResilienceConfigurationError(
        'ResilienceModule.forRootAsync',
        'the options depend on a request-scoped provider; expected static dependencies, since policies are shared by all requests',
      );
    }
    for (const { place, token } of wantedDataServices('ResilienceModule', this.#extras)) {
      if (providers?.get(token)?.isDependencyTreeStatic() !== false) continue;
      throw new ResilienceConfigurationError(
        place,
        'the recipe is, or depends on, a request-scoped provider; expected static dependencies, since all requests share the data service',
      );
    }
  }
}

/** @internal */
@Module({})
export class ResilienceFeatureModule {}

function addPolicies(runtime: Runtime, policies: Readonly<Record<string, PolicySet>>): true {
  if (isPlainObject(policies) && Object.hasOwn(policies, 'default')) {
    throw new ResilienceConfigurationError(
      'ResilienceModule.forFeature',
      "policies.default: expected in forRoot() only, since it is the whole app's",
    );
  }
  runtime.addPolicies('ResilienceModule.forFeature, policies', policies);
  return true;
}

/** Adds the providers that the options ask for. */
function extend(place: string, definition: DynamicModule, extras: ResilienceModuleExtras): DynamicModule {
  const wanted = wantedDataServices(place, extras);
  const filter: Provider[] =
    extras.exceptionFilter === true ? [{ provide: APP_FILTER, useClass: ResilienceExceptionFilter }] : [];
  const checked: Provider = { provide: EXTRAS_TOKEN, useValue: extras };
  return {
    ...definition,
    providers: [...(definition.providers ?? []), ...dataProviders(wanted), ...filter, checked],
    exports: [...(definition.exports ?? []), ...wanted.map(({ token }) => token)],
  };
}
