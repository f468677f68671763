import { Controller, Get } from '@nestjs/common';
import { ResilienceService, type CircuitBreakerHandle } from 'nestjs-bulwark';

/** A breaker as an operator wants to see it. */
type BreakerView = Pick<CircuitBreakerHandle, 'name' | 'state'> &
  Pick<CircuitBreakerHandle['stats'], 'fires' | 'successes' | 'failures' | 'timeouts' | 'rejects' | 'latencyMean'>;

@Controller('breakers')
export class BreakersController {
  constructor(private readonly resilience: ResilienceService) {}

  @Get()
  list(): BreakerView[] {
    return this.resilience.circuitBreakers().map(({ name, state, stats }) => ({
      name,
      state,
      fires: stats.fires,
      successes: stats.successes,
      failures: stats.failures,
      timeouts: stats.timeouts,
      rejects: stats.rejects,
      latencyMean: Math.round(stats.latencyMean),
    }));
  }
}
