import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { ResilienceDashboardModule } from 'nestjs-bulwark/dashboard';
import { ResilienceHealthModule } from 'nestjs-bulwark/health';
import { ResilienceMetricsModule } from 'nestjs-bulwark/metrics';
import { BreakersController } from './breakers.controller.js';
import { HealthController } from './health.controller.js';
import { OperatorGuard } from './operator.guard.js';
import { PlanController } from './plan.controller.js';

@Module({
  imports: [
    // What it answers is log enough.
    TerminusModule.forRoot({ logger: false }),
    ResilienceHealthModule,
    ResilienceMetricsModule.forRoot(),
    // All may look, as all may break the provider: this is a sample. A shop has guards here.
    ResilienceDashboardModule.forRoot({ guards: [], actionGuards: [OperatorGuard] }),
  ],
  controllers: [BreakersController, HealthController, PlanController],
})
export class OperationsModule {}
