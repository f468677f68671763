import { checkOptions, offOr, oneOf } from '../../kernel/options/check.js';

/**
 * What is told to OpenTelemetry, beside the meters.
 *
 * @publicApi
 */
export interface TelemetryModuleOptions {
  /** A span for each call, and in it one for each attempt; for each call alone; or none. @default 'attempts' */
  spans?: 'attempts' | 'calls' | false;
}

/** Gives the module's options, for `forRootAsync({ useClass })`. */
export interface TelemetryOptionsFactory {
  createTelemetryOptions(): TelemetryModuleOptions | Promise<TelemetryModuleOptions>;
}

/** @throws ResilienceConfigurationError */
export function resolveTelemetryOptions(options: unknown): Required<TelemetryModuleOptions> {
  checkOptions<TelemetryModuleOptions>('ResilienceTelemetryModule.forRoot', options, {
    spans: offOr(oneOf('attempts', 'calls')),
  });
  return { spans: options.spans ?? 'attempts' };
}
