import { Module, type DynamicModule } from '@nestjs/common';
import { noOptions } from '../../module/given-options.js';
import { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN, OPTIONS_TYPE } from './otel.module-definition.js';
import { Telemetry } from './telemetry.js';

/**
 * Tells OpenTelemetry what calls came to and what the policies decided: the same meters as `nestjs-bulwark/metrics`, and
 * spans of calls and attempts, under which those of an HTTP client hang. Import it once, beside `ResilienceModule`; the SDK
 * must have been started before the app.
 *
 * @example
 * imports: [ResilienceModule.forRoot(), ResilienceTelemetryModule.forRoot({ spans: 'calls' })]
 *
 * @publicApi
 */
@Module({ providers: [noOptions('ResilienceTelemetryModule', MODULE_OPTIONS_TOKEN), Telemetry] })
export class ResilienceTelemetryModule extends ConfigurableModuleClass {
  /** @throws ResilienceConfigurationError when the app starts, for options that are wrong. */
  static override forRoot(options: typeof OPTIONS_TYPE = {}): DynamicModule {
    return super.forRoot(options);
  }
}
