import { Injectable, ServiceUnavailableException } from '@nestjs/common';
import { CircuitBreaker, Coalesce, DataService, Fallback, exponential, Retry, Signal, Timeout } from 'nestjs-bulwark';
import { ProviderFailedException } from '../payments/provider-failed.exception.js';
import { ProviderHttp } from '../payments/provider-http.js';
import type { Currency } from './currency.js';

export interface ExchangeRate {
  readonly rate: number;
  readonly asOf: string;
}

const DAY_MS = 86_400_000;

/** The provider's exchange rates. An old rate is better than none. */
@Injectable()
export class ExchangeRatesClient {
  constructor(
    private readonly http: ProviderHttp,
    private readonly data: DataService,
  ) {}

  /** Visitors who ask for the same rate at once share one request. */
  @Coalesce({ key: (currency: Currency) => currency })
  @CircuitBreaker('exchange')
  @Timeout({ perAttempt: 250, total: 600 })
  @Retry({ maxAttempts: 2, backoff: exponential({ initial: 50 }) })
  @Fallback([
    {
      lastGood: {
        key: (currency: Currency) => currency,
        maxAge: DAY_MS,
        store: (client: ExchangeRatesClient) => client.data,
      },
    },
    'neverKnown',
  ])
  async current(currency: Currency, @Signal() signal?: AbortSignal): Promise<ExchangeRate> {
    const { status, body } = await this.http.request(`/rates/${currency}`, { signal: signal ?? null });
    if (!isRate(body)) throw new ProviderFailedException(new Error(`/rates answered ${status} without a rate`));
    return { rate: body.rate, asOf: new Date().toISOString() };
  }

  /** @throws ServiceUnavailableException since there was no rate within a day. */
  async neverKnown(currency: Currency, _signal: AbortSignal | undefined, _error: unknown): Promise<ExchangeRate> {
    throw new ServiceUnavailableException(`No rate for ${currency} is known yet`);
  }
}

function isRate(body: unknown): body is { rate: number } {
  return typeof body === 'object' && body !== null && 'rate' in body && typeof body.rate === 'number';
}
