import { Module } from '@nestjs/common';
import { SETTINGS, type Settings } from '../settings/settings.js';
import { SettingsModule } from '../settings/settings.module.js';
import { SharedUpstream } from './shared-upstream.js';
import { UpstreamController } from './upstream.controller.js';
import { Upstream } from './upstream.js';
import { UpstreamSupervisor } from './upstream.supervisor.js';

@Module({
  imports: [SettingsModule],
  controllers: [UpstreamController],
  providers: [
    {
      provide: Upstream,
      inject: [SETTINGS],
      useFactory: ({ upstreamUrl }: Settings) =>
        upstreamUrl === undefined ? new UpstreamSupervisor() : new SharedUpstream(upstreamUrl),
    },
  ],
  exports: [Upstream],
})
export class UpstreamControlModule {}
