import { Body, Controller, Get, HttpCode, Post } from '@nestjs/common';
import { Resilient } from 'nestjs-bulwark';
import { SetModeDto } from './set-mode.dto.js';
import { Upstream, type UpstreamStatus } from './upstream.js';

/**
 * Breaks the payment provider on purpose. A sample has this; a shop has not. Starting a process may take longer than a
 * customer would wait, so the limit under every route is off here.
 */
@Controller('upstream')
@Resilient(false)
export class UpstreamController {
  constructor(private readonly upstream: Upstream) {}

  @Get()
  status(): UpstreamStatus {
    return this.upstream.status;
  }

  @Post()
  @HttpCode(200)
  setMode(@Body() { mode }: SetModeDto): Promise<UpstreamStatus> {
    return this.upstream.setMode(mode);
  }
}
