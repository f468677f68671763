import { Inject, Module, type DynamicModule, type OnModuleInit, type Provider } from '@nestjs/common';
import { APP_FILTER, APP_INTERCEPTOR, ModulesContainer } from '@nestjs/core';
import { ResilienceConfigurationError } from '../errors/configuration.error.js';
import type { Clock } from '../kernel/clock.js';
import { checkOptions, isPlainObject, type Expectation } from '../kernel/options/check.js';
import type { PolicySet } from '../policies/policy-set.js';
import { dataProviders, wantedDataServices } from './data/data-providers.js';
import { ResilienceExceptionFilter } from './exception-filter.js';
import { IncomingInterceptor } from './incoming/incoming.interceptor.js';
import { wantsIncoming } from './incoming/incoming.options.js';
import {
  ASYNC_OPTIONS_TYPE,
  ConfigurableModuleClass,
  EXTRAS_TOKEN,
  MODULE_OPTIONS_TOKEN,
  NO_OPTIONS,
  OPTIONS_TYPE,
  type ResilienceModuleExtras,
} from './resilience.module-definition.js';
import { ResilienceService } from './resilience.service.js';
import { ResilienceRules } from './rules/resilience-rules.js';
import { RuleFeed } from './rules/rule-feed.js';
import { Runtime } from './runtime/runtime.js';
import { systemSurroundings } from './runtime/surroundings.js';
import { checkRoots } from './start-up/check-roots.js';
import { Drain } from './shutdown/drain.js';
import { StartUp } from './start-up/start-up.js';
import { SystemProtection } from './system-protection/system-protection.js';
import { RESILIENCE_CLOCK, RESILIENCE_RANDOM, RUNTIME } from './tokens.js';

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
  // The runtime depends on nothing but time and chance, which depend on nothing: whatever it is injected into, it cannot
  // close a cycle or lend it a scope.
  providers: [
    { provide: RESILIENCE_CLOCK, useFactory: () => systemSurroundings().clock },
    { provide: RESILIENCE_RANDOM, useFactory: () => systemSurroundings().random },
    {
      provide: RUNTIME,
      inject: [RESILIENCE_CLOCK, RESILIENCE_RANDOM],
      useFactory: (clock: Clock, random: () => number) => new Runtime(false, { clock, random }),
    },
    // What forRoot() and forRootAsync() provide takes the place of these.
    { provide: MODULE_OPTIONS_TOKEN, useValue: NO_OPTIONS },
    { provide: EXTRAS_TOKEN, useValue: {} },
    ResilienceRules,
    Drain,
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
  static forFeature(options: { policies: Readonly<Record<string, PolicySet>> }): DynamicModule {
    return {
      module: ResilienceFeatureModule,
      providers: [
        {
          provide: Symbol('policy sets'),
          inject: [{ token: RUNTIME, optional: true }],
          useFactory: (runtime: unknown) => addPolicies(runtime, options),
        },
      ],
    };
  }

  onModuleInit(): void {
    checkRoots(this.#container);
    const [root] = [...this.#container.values()].filter(({ metatype }) => metatype === ResilienceModule);
    const providers = root?.providers;
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

const FEATURE = 'ResilienceModule.forFeature';

/** @throws ResilienceConfigurationError where there is no root; what is wrong with the sets is told when the app starts. */
function addPolicies(runtime: unknown, options: unknown): true {
  if (!Runtime.is(runtime)) {
    throw new ResilienceConfigurationError(
      FEATURE,
      'there is no root module that the policy sets could be added to; expected ResilienceModule.forRoot() or forRootAsync() among the imports of the app',
    );
  }
  runtime.mistakes.in(() => {
    checkOptions<{ policies: unknown }>(FEATURE, options, { policies: anything });
    const policies = options.policies as Readonly<Record<string, PolicySet>>;
    if (isPlainObject(policies) && Object.hasOwn(policies, 'default')) {
      throw new ResilienceConfigurationError(
        FEATURE,
        "policies.default: expected in forRoot() only, since it is the whole app's",
      );
    }
    runtime.addPolicies(`${FEATURE}, policies`, policies);
  });
  return true;
}

/** The sets themselves are checked one by one. */
const anything: Expectation = { expected: 'an object of policy sets', accepts: () => true };

/** Adds the providers that the options ask for. */
function extend(place: string, definition: DynamicModule, extras: ResilienceModuleExtras): DynamicModule {
  const wanted = wantedDataServices(place, extras);
  const filter: Provider[] =
    extras.exceptionFilter === true ? [{ provide: APP_FILTER, useClass: ResilienceExceptionFilter }] : [];
  const incoming: Provider[] = wantsIncoming(extras)
    ? [{ provide: APP_INTERCEPTOR, useClass: IncomingInterceptor }]
    : [];
  const checked: Provider = { provide: EXTRAS_TOKEN, useValue: extras };
  return {
    ...definition,
    providers: [...(definition.providers ?? []), ...dataProviders(wanted), ...filter, ...incoming, checked],
    exports: [...(definition.exports ?? []), ...wanted.map(({ token }) => token)],
  };
}
