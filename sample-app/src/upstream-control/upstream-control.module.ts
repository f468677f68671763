import { Module } from '@nestjs/common';
import { UpstreamController } from './upstream.controller.js';
import { UpstreamSupervisor } from './upstream.supervisor.js';

@Module({
  controllers: [UpstreamController],
  providers: [UpstreamSupervisor],
  exports: [UpstreamSupervisor],
})
export class UpstreamControlModule {}
