import { Controller, Get } from '@nestjs/common';
import { DataService, Resilient } from 'nestjs-bulwark';
import { FailoverDataService, type FailoverStatus } from 'nestjs-bulwark/data';

const PING_MS = 1_000;

export interface Health {
  status: 'ok' | 'degraded';
  /** How the stores of the data stand, and what waits for them. */
  data?: FailoverStatus;
}

/** For the load balancer: a look at the shop itself, whatever becomes of its provider. */
@Controller('health')
export class HealthController {
  constructor(private readonly data: DataService) {}

  /**
   * No policy comes between, not even the one that stands under every route. Behind a failover the shop is of use while its
   * database is away, so what it can still do is said, and a ping of the database does not decide.
   */
  @Get()
  @Resilient(false)
  async check(): Promise<Health> {
    if (this.data instanceof FailoverDataService) {
      const data = this.data.status();
      return { status: data.nodes.every(({ state }) => state === 'up') ? 'ok' : 'degraded', data };
    }
    await this.data.ping({ signal: AbortSignal.timeout(PING_MS) });
    return { status: 'ok' };
  }
}
