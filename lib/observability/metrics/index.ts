export type { MetricsModuleExtras, MetricsModuleOptions, MetricsOptionsFactory } from './metrics.options.js';

export { ResilienceMetricsModule } from './metrics.module.js';
