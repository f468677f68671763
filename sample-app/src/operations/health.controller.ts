import { Controller, Get } from '@nestjs/common';
import { DataService, Resilient } from 'nestjs-bulwark';

const PING_MS = 1_000;

/** For the load balancer: a look at the shop itself, whatever becomes of its provider. */
@Controller('health')
export class HealthController {
  constructor(private readonly data: DataService) {}

  /** No policy comes between, not even the one that stands under every route. */
  @Get()
  @Resilient(false)
  async check(): Promise<{ status: 'ok' }> {
    await this.data.ping({ signal: AbortSignal.timeout(PING_MS) });
    return { status: 'ok' };
  }
}
