import { Controller, Get } from '@nestjs/common';
import { ResilienceService, type PlanEntry } from 'nestjs-bulwark';

/** What guards what, as the library understood it. */
@Controller('plan')
export class PlanController {
  constructor(private readonly resilience: ResilienceService) {}

  @Get()
  plan(): PlanEntry[] {
    return this.resilience.plan();
  }
}
