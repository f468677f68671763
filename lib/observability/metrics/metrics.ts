import { Inject, Injectable, Optional, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { ResilienceConfigurationError } from '../../errors/configuration.error.js';
import { Runtime } from '../../module/runtime/runtime.js';
import { RUNTIME } from '../../module/tokens.js';
import { DURATION_METERS } from '../meters/duration-meters.js';
import { METERS } from '../meters/meters.js';
import { MODULE_OPTIONS_TOKEN } from './metrics.module-definition.js';
import {
  checkMetricsOptions,
  registryTaken,
  type MetricsModuleOptions,
  type MetricsRegistry,
} from './metrics.options.js';
import { ScrapedMetric, ScrapeSource } from './scraped-metric.js';

/** Puts the metrics of an app into a registry, as long as the app runs. */
@Injectable()
export class Metrics implements OnModuleInit, OnApplicationShutdown {
  readonly registry: MetricsRegistry;
  readonly #runtime: Runtime;
  readonly #options: MetricsModuleOptions;
  readonly #registered: string[] = [];
  #stopCounting: (() => void) | undefined;

  /** @throws ResilienceConfigurationError */
  constructor(@Inject(MODULE_OPTIONS_TOKEN) options: unknown, @Optional() @Inject(RUNTIME) runtime?: unknown) {
    if (!Runtime.is(runtime)) {
      throw new ResilienceConfigurationError(
        'ResilienceMetricsModule',
        'there is no ResilienceModule whose calls could be counted; expected ResilienceModule.forRoot() or forRootAsync() among the imports of the app',
      );
    }
    this.#runtime = runtime;
    this.#options = checkMetricsOptions(options);
    this.registry = this.#options.registry ?? new Registry();
    // Before anybody counts, or makes instruments of them.
    if (this.#options.buckets !== undefined) runtime.readModel.useBuckets(this.#options.buckets);
  }

  /** Whether the registry is the user's, who then shows it. */
  get isOwn(): boolean {
    return this.#options.registry === undefined;
  }

  /** @throws ResilienceConfigurationError */
  onModuleInit(): void {
    const { readModel } = this.#runtime;
    const source = new ScrapeSource(readModel);
    for (const meter of [...METERS, ...DURATION_METERS]) this.#register(new ScrapedMetric(meter, source));
    if (this.#options.defaultMetrics === true) collectDefaultMetrics({ register: this.registry as Registry });
    this.#stopCounting = readModel.countCalls();
  }

  /** What happens until the very end is counted; the registry may outlive the app. */
  onApplicationShutdown(): void {
    this.#stopCounting?.();
    for (const name of this.#registered) this.registry.removeSingleMetric(name);
  }

  #register(metric: ScrapedMetric): void {
    const { name } = metric;
    if (this.registry.getSingleMetric(name) !== undefined) throw registryTaken(name);
    this.registry.registerMetric(metric.asMetric());
    this.#registered.push(name);
  }
}
