import { Inject, Injectable, Optional, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { noRuntime } from '../../module/no-runtime.js';
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
import { textOf } from './text-format.js';

/** Puts the metrics of an app into a registry, as long as the app runs. */
@Injectable()
export class Metrics implements OnModuleInit, OnApplicationShutdown {
  readonly registry: MetricsRegistry;
  readonly #runtime: Runtime;
  readonly #options: MetricsModuleOptions;
  #metrics: readonly ScrapedMetric[] = [];
  #stopCounting: (() => void) | undefined;

  /** @throws ResilienceConfigurationError */
  constructor(@Inject(MODULE_OPTIONS_TOKEN) options: unknown, @Optional() @Inject(RUNTIME) runtime?: unknown) {
    if (!Runtime.is(runtime)) throw noRuntime('ResilienceMetricsModule', 'whose calls could be counted');
    this.#runtime = runtime;
    this.#options = checkMetricsOptions(options);
    this.registry = this.#options.registry ?? new Registry();
    // Before anybody counts, or makes instruments of them.
    if (this.#options.buckets !== undefined) runtime.readModel.useBuckets(this.#options.buckets);
  }

  /** Whether the registry is the module's own; else the user shows it. */
  get isOwn(): boolean {
    return this.#options.registry === undefined;
  }

  get contentType(): string {
    return this.registry.contentType;
  }

  /** What a scrape gets. */
  async text(): Promise<string> {
    const others = await this.registry.metrics();
    if (!this.isOwn) return others;
    const own = this.#metrics.map((metric) => textOf(metric.read()));
    return (this.#options.defaultMetrics === true ? [...own, others] : own).join('\n');
  }

  /** @throws ResilienceConfigurationError */
  onModuleInit(): void {
    const { readModel } = this.#runtime;
    const source = new ScrapeSource(readModel);
    const metrics = [...METERS, ...DURATION_METERS].map((meter) => new ScrapedMetric(meter, source));
    if (!this.isOwn) for (const metric of metrics) this.#register(metric);
    this.#metrics = metrics;
    if (this.#options.defaultMetrics === true) collectDefaultMetrics({ register: this.registry as Registry });
    this.#stopCounting = readModel.countCalls();
  }

  /** What happens until the very end is counted; the registry may outlive the app. */
  onApplicationShutdown(): void {
    this.#stopCounting?.();
    if (!this.isOwn) for (const { name } of this.#metrics) this.registry.removeSingleMetric(name);
  }

  #register(metric: ScrapedMetric): void {
    const { name } = metric;
    if (this.registry.getSingleMetric(name) !== undefined) throw registryTaken(name);
    this.registry.registerMetric(metric.asMetric());
  }
}
