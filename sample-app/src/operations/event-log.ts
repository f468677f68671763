import { Injectable, Logger, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { ResilienceService, type ResilienceEvent } from 'nestjs-bulwark';
import type { Subscription } from 'rxjs';

/** Writes into the log what an operator would want to be woken for. */
@Injectable()
export class EventLog implements OnModuleInit, OnModuleDestroy {
  readonly #logger = new Logger('Resilience');
  #subscription: Subscription | undefined;

  constructor(private readonly resilience: ResilienceService) {}

  onModuleInit(): void {
    this.#subscription = this.resilience.events$.subscribe((event) => this.#write(event));
  }

  onModuleDestroy(): void {
    this.#subscription?.unsubscribe();
  }

  #write(event: ResilienceEvent): void {
    switch (event.type) {
      case 'stateChange':
        return this.#logger.warn(`${event.name}: ${event.from} -> ${event.to} (${event.reason})`);
      case 'abandoned':
        return this.#logger.warn(`${event.name}: work still ran ${event.afterMs} ms after its caller had gone`);
      default:
        return;
    }
  }
}
