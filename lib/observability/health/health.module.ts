import { Global, Module, type DynamicModule } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { ConfigurableModuleClass, type OPTIONS_TYPE } from './health.module-definition.js';
import { ResilienceHealthIndicator } from './resilience-health.indicator.js';

/**
 * Provides {@link ResilienceHealthIndicator} for the health checks of `@nestjs/terminus`. Import it beside
 * `ResilienceModule`, as it is or by `forRoot()`.
 *
 * @example
 * imports: [ResilienceModule.forRoot({ policies }), ResilienceHealthModule.forRoot({ down: ['database'] })]
 *
 * @publicApi
 */
@Global()
@Module({
  imports: [TerminusModule],
  providers: [ResilienceHealthIndicator],
  exports: [ResilienceHealthIndicator],
})
export class ResilienceHealthModule extends ConfigurableModuleClass {
  static override forRoot(options: typeof OPTIONS_TYPE = {}): DynamicModule {
    return super.forRoot(options);
  }
}
