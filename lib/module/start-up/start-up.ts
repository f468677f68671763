import {
  Inject,
  Injectable,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { handResponses } from '../stale-answers/hand-responses.js';
import { sayStale } from '../stale-answers/stale-headers.js';
import { bindGateways } from './bind-gateways.js';
import { bindProviders } from './bind-providers.js';
import { Catalog } from './catalog.js';
import { checkClasses } from './check-classes.js';
import { checkRoots } from './check-roots.js';
import { findInterceptions } from './find-interceptions.js';
import {
  checkModuleOptions,
  EXTRAS_TOKEN,
  MODULE_OPTIONS_TOKEN,
  type ResilienceModuleExtras,
  type ResilienceModuleOptions,
} from '../resilience.module-definition.js';
import { ResilienceConfigurationError } from '../../errors/configuration.error.js';
import { CarefulLogger } from '../event-log/careful-logger.js';
import { lineOf, planEntries } from '../../planning/plan-entries.js';
import { lintApp } from '../../planning/lint/lint-app.js';
import { checkKillSwitch } from '../runtime/kill-switch.js';
import type { Runtime } from '../runtime/runtime.js';
import { isPlainObject } from '../../kernel/options/check.js';
import { expectStore } from '../../policies/rate-limit/rate-limit.kind.js';
import { RUNTIME } from '../tokens.js';
import { lintSettings } from './lint-settings.js';
import { tellLint } from './tell-lint.js';

/**
 * Attaches the app to its runtime: the options and the classes as soon as Nest has read them, so that the first call
 * is guarded; the checks when the app starts.
 */
@Injectable()
export class StartUp implements OnModuleInit, OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown {
  readonly #runtime: Runtime;
  readonly #container: ModulesContainer;

  constructor(
    @Inject(RUNTIME) runtime: unknown,
    @Inject(MODULE_OPTIONS_TOKEN) options: ResilienceModuleOptions,
    @Inject(EXTRAS_TOKEN) extras: ResilienceModuleExtras,
    @Inject(ModulesContainer) container: ModulesContainer,
  ) {
    this.#runtime = runtime as Runtime;
    this.#container = container;
    const { mistakes } = this.#runtime;
    // All that is wrong is told at once, when the app starts.
    mistakes.in(checkKillSwitch);
    mistakes.in(() => checkModuleOptions(options, extras));
    if (isPlainObject(options)) mistakes.in(() => this.#runtime.configure(options));
    mistakes.in(() => {
      this.#runtime.app.lint = lintSettings(options, extras);
    });
    this.#runtime.app.attach(new Catalog(container));
    bindProviders(container, this.#runtime);
    if (extras.staleHeaders !== false) {
      this.#runtime.environment.onStale = sayStale;
      handResponses(container, this.#runtime.app);
    }
    // Nest reads the filters of gateways before any hook runs.
    if (extras.exceptionFilter === true) bindGateways(container);
  }

  /** @throws ResilienceConfigurationError for everything that options, decorators and interceptors say wrong. */
  onModuleInit(): void {
    checkRoots(this.#container);
    bindProviders(this.#container, this.#runtime);
    // The catalogue is made anew: by now every value and every feature module is there.
    this.#runtime.app.attach(new Catalog(this.#container));
    this.#runtime.app.interceptions = findInterceptions(this.#container);
    const { mistakes, environment } = this.#runtime;
    // By now every module has brought what it has.
    environment.expectsRateStore = true;
    const { callContextFor, callContext } = environment;
    if (callContextFor !== undefined && !callContext) {
      const problem = 'needs to know the running call: expected ResilienceModule.forRoot({ callContext: true })';
      mistakes.add(new ResilienceConfigurationError(callContextFor, problem));
    }
    checkClasses(this.#runtime.app, mistakes);
    mistakes.in(() => planEntries(this.#runtime.app));
    this.#checkSets();
    mistakes.throwAny('ResilienceModule');
  }

  /** What sets need of other modules, also those that no method uses. */
  #checkSets(): void {
    const { app, environment, mistakes } = this.#runtime;
    for (const name of app.sets.names()) {
      const limit = app.sets.get(name)?.entries.get('rateLimit');
      if (limit === undefined || limit === false) continue;
      mistakes.in(() => expectStore({ name: limit.name ?? name, options: limit.options }, environment));
    }
  }

  /** What is in force: by now the rules of the start are. */
  onApplicationBootstrap(): void {
    this.#runtime.environment.startRamp?.begin();
    const logger = new CarefulLogger();
    for (const entry of planEntries(this.#runtime.app)) {
      if (entry.uncovered === undefined) logger.write('debug', lineOf(entry));
    }
    if (!this.#runtime.logs) return;
    // Whoever has forgotten the variable would find out by an outage.
    if (this.#runtime.environment.killed) {
      const text = 'BULWARK_DISABLED turns off all policies but Fallback and Recover';
      logger.write('warn', text, { fields: { event: 'disabled' } });
    }
    tellLint(lintApp(this.#runtime.app), logger);
  }

  beforeApplicationShutdown(): void {
    this.#runtime.shutDown();
  }

  onApplicationShutdown(): void {
    this.#runtime.dispose();
  }
}
