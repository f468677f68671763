import { Injectable, Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { Bulkhead, Fallback, Recover, ResilienceException } from 'nestjs-bulwark';
import { ProviderFailedException } from '../payments/provider-failed.exception.js';
import { OrderBook } from './order-book.js';
import { OrdersService } from './orders.service.js';

const EVERY_MS = 1_000;
/** Younger orders may still be with the request that placed them. */
const MIN_AGE_MS = 2_000;

/** Asks again for the payments that were deferred, until the provider has answered for each. */
@Injectable()
export class SettlementJob implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly #logger = new Logger(SettlementJob.name);
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  #running: Promise<void> = Promise.resolve();

  constructor(
    private readonly book: OrderBook,
    private readonly orders: OrdersService,
  ) {}

  onApplicationBootstrap(): void {
    this.#timer = setInterval(() => {
      this.#running = Promise.all([this.#running, this.run()]).then(() => undefined);
    }, EVERY_MS).unref();
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.#timer);
    this.#stopped = true;
    await this.#running;
  }

  /**
   * One run at a time. That the provider is away is nothing new, so the run just ends; whatever else goes wrong is
   * logged, and the next run comes all the same.
   */
  @Bulkhead(1)
  @Fallback({ value: undefined, on: isProviderAway })
  @Recover()
  async run(): Promise<void> {
    let settled = 0;
    try {
      for await (const order of this.book.unpaidBefore(new Date(Date.now() - MIN_AGE_MS))) {
        if (this.#stopped) return;
        await this.orders.settle(order);
        settled++;
      }
    } finally {
      if (settled > 0) this.#logger.log(`Deferred payments settled: ${settled}`);
    }
  }
}

function isProviderAway(error: unknown): boolean {
  return error instanceof ResilienceException || error instanceof ProviderFailedException;
}
