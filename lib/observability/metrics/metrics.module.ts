import { Inject, Module, Optional, type DynamicModule, type Type } from '@nestjs/common';
import { isPlainObject } from '../../kernel/options/check.js';
import { noOptions } from '../../module/given-options.js';
import { metricsController, withoutRoute } from './metrics.controller.js';
import {
  ASYNC_OPTIONS_TYPE,
  ConfigurableModuleClass,
  MODULE_OPTIONS_TOKEN,
  OPTIONS_TYPE,
} from './metrics.module-definition.js';
import { checkMetricsExtras, DEFAULT_PATH, type MetricsModuleExtras } from './metrics.options.js';
import { Metrics } from './metrics.js';

/** The controller whose route is not wanted where the options, which come later, hold a registry. */
const PERHAPS_WITHOUT = Symbol('nestjs-bulwark:metrics-controller');

/**
 * Shows what calls came to and what the policies decided to Prometheus, by prom-client. A call costs a few additions;
 * prom-client is filled when somebody asks. Import it once, beside `ResilienceModule`.
 *
 * @example
 * imports: [ResilienceModule.forRoot(), ResilienceMetricsModule.forRoot()] // GET /metrics
 *
 * @example
 * // Into a registry that the app shows itself.
 * ResilienceMetricsModule.forRoot({ registry: register })
 *
 * @publicApi
 */
@Module({ providers: [noOptions('ResilienceMetricsModule', MODULE_OPTIONS_TOKEN), Metrics] })
export class ResilienceMetricsModule extends ConfigurableModuleClass {
  /** @throws ResilienceConfigurationError when the app starts, for options that are wrong. */
  constructor(@Inject(Metrics) metrics: Metrics, @Optional() @Inject(PERHAPS_WITHOUT) controller?: Type) {
    super();
    if (controller !== undefined && !metrics.isOwn) withoutRoute(controller);
  }

  /** @throws ResilienceConfigurationError for a path or guards that are none. */
  static override forRoot(options: typeof OPTIONS_TYPE = {}): DynamicModule {
    const hasRegistry = isPlainObject(options) && options.registry !== undefined;
    return withRoute(super.forRoot(options), options, hasRegistry ? false : DEFAULT_PATH);
  }

  /** @throws ResilienceConfigurationError for a path or guards that are none. */
  static override forRootAsync(options: typeof ASYNC_OPTIONS_TYPE): DynamicModule {
    return withRoute(super.forRootAsync(options), options, undefined);
  }
}

/** @param otherwise the path where none is given; undefined: it is not known before the options are there. */
function withRoute(
  definition: DynamicModule,
  extras: MetricsModuleExtras,
  otherwise: string | false | undefined,
): DynamicModule {
  checkMetricsExtras(extras);
  const { path = otherwise ?? DEFAULT_PATH, guards = [], imports = [] } = extras;
  if (path === false) return definition;
  const controller = metricsController(path, guards);
  const late = extras.path === undefined && otherwise === undefined;
  return {
    ...definition,
    imports: [...new Set([...(definition.imports ?? []), ...imports])],
    controllers: [controller],
    providers: [...(definition.providers ?? []), ...(late ? [{ provide: PERHAPS_WITHOUT, useValue: controller }] : [])],
  };
}
