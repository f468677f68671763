import { Inject, Injectable } from '@nestjs/common';
import { CircuitBreaker, Retry, Timeout } from 'nestjs-bulwark';
import { resilientFetch, UpstreamHttpError } from 'nestjs-bulwark/http';

export const WEATHER_URL = Symbol('WEATHER_URL');

export interface Weather {
  readonly city: string;
  readonly degrees: number;
}

@Injectable()
export class WeatherClient {
  constructor(@Inject(WEATHER_URL) private readonly url: string) {}

  // The order of the decorators does not matter. A call takes 2 s at most, whatever its attempts do; once half of five attempts
  // have failed, nobody asks for 5 s.
  @Timeout({ perAttempt: 500, total: 2_000 })
  @Retry(3)
  @CircuitBreaker('weather', { volumeThreshold: 5, resetTimeout: 5_000 })
  async today(city: string): Promise<Weather | undefined> {
    // Not plain fetch: a 500 is an error here, the end of the attempt ends the request, and the provider is told how much
    // time is left.
    const response = await resilientFetch(`${this.url}/${encodeURIComponent(city)}`);
    // A 404 is an answer: it opens no breaker, and is not asked for again.
    if (response.status === 404) return undefined;
    // Any other 4xx, such as a 401, is no weather either.
    if (!response.ok) throw new UpstreamHttpError(response);
    return (await response.json()) as Weather;
  }
}
