export type { TelemetryModuleOptions, TelemetryOptionsFactory } from './otel.options.js';

export { ResilienceTelemetryModule } from './otel.module.js';
