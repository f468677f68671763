export type { BreakerHealth, HealthDetails } from './health-details.js';
export { ResilienceHealthModule } from './health.module.js';
export type { HealthOptions } from './health.options.js';
export { ResilienceHealthIndicator, type ResilienceHealth } from './resilience-health.indicator.js';
