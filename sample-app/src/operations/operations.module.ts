import { Module } from '@nestjs/common';
import { BreakersController } from './breakers.controller.js';
import { EventLog } from './event-log.js';
import { HealthController } from './health.controller.js';
import { PlanController } from './plan.controller.js';

@Module({
  controllers: [BreakersController, HealthController, PlanController],
  providers: [EventLog],
})
export class OperationsModule {}
