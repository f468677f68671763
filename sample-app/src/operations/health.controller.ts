import { Controller, Get } from '@nestjs/common';
import {
  HealthCheck,
  HealthCheckService,
  HealthIndicatorService,
  type HealthCheckResult,
  type HealthIndicatorResult,
} from '@nestjs/terminus';
import { DataService, Resilient } from 'nestjs-bulwark';
import { FailoverDataService } from 'nestjs-bulwark/data';
import { ResilienceHealthIndicator } from 'nestjs-bulwark/health';

const PING_MS = 1_000;

/** For the load balancer: a look at the shop itself, whatever becomes of its provider. No policy comes between. */
@Controller('health')
@Resilient(false)
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
    private readonly resilience: ResilienceHealthIndicator,
    private readonly data: DataService,
  ) {}

  /** Whether the shop may be sent customers. An open breaker is a detail: orders are taken all the same. */
  @Get()
  @HealthCheck()
  ready(): Promise<HealthCheckResult> {
    return this.health.check([() => this.#checkData(), () => this.resilience.check('resilience')]);
  }

  /** Whether the process works: that it answers is the answer, since a restart heals nothing around it. */
  @Get('live')
  @HealthCheck()
  live(): Promise<HealthCheckResult> {
    return this.health.check([]);
  }

  /**
   * Behind a failover the shop is of use while its database is away, so what it can still do is said, and a ping of the
   * database does not decide. Elsewhere the error of the ping is the answer, with its time to come back.
   */
  async #checkData(): Promise<HealthIndicatorResult> {
    const indicator = this.indicators.check('data');
    if (this.data instanceof FailoverDataService) {
      const status = { ...this.data.status() };
      return status.nodes.every(({ state }) => state === 'up') ? indicator.up(status) : indicator.degraded(status);
    }
    await this.data.ping({ signal: AbortSignal.timeout(PING_MS) });
    return indicator.up();
  }
}
