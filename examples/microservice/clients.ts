import { Inject, Injectable } from '@nestjs/common';
import type { ClientProxy } from '@nestjs/microservices';
import { CircuitBreaker, Fallback, Timeout } from 'nestjs-bulwark';
import { firstValueFrom } from 'rxjs';

export interface Price {
  readonly cents: number;
  readonly timeLeft: number;
}

// One class and one breaker for each service: what is down must not close the way to what is up.
@Injectable()
export class PricesClient {
  constructor(@Inject('PRICES') private readonly prices: ClientProxy) {}

  @CircuitBreaker('prices', { volumeThreshold: 3, resetTimeout: 5_000 })
  @Timeout(800)
  async price(sku: string): Promise<Price> {
    return firstValueFrom(this.prices.send<Price>('price', sku));
  }
}

@Injectable()
export class StockClient {
  constructor(@Inject('STOCK') private readonly stock: ClientProxy) {}

  // The page can do without it, so it has a substitute: nobody knows how many there are.
  @CircuitBreaker('stock', { volumeThreshold: 3, resetTimeout: 5_000 })
  @Timeout(300)
  @Fallback({ value: null })
  async pieces(sku: string): Promise<number | null> {
    return firstValueFrom(this.stock.send<number>('pieces', sku));
  }
}
