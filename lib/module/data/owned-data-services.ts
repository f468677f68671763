import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import type { DataService } from '../../data/port/data.service.js';
import { outsideCalls } from '../../data/port/outside-calls.js';

/** The data services that the module has created, which it closes when the app has shut down. */
@Injectable()
export class OwnedDataServices implements OnApplicationShutdown {
  readonly #made = new Set<Promise<DataService>>();

  /**
   * Takes on what `make` makes. Where it fails, the app will not start, and Nest calls no hook: then the others are
   * closed first, so that a second attempt in the same process finds their folders free.
   */
  async adopt(make: () => Promise<DataService>): Promise<DataService> {
    const service = outsideCalls(make);
    this.#made.add(service);
    try {
      return await service;
    } catch (error) {
      this.#made.delete(service);
      await this.#closeAll();
      throw error;
    }
  }

  onApplicationShutdown(): Promise<void> {
    return this.#closeAll();
  }

  async #closeAll(): Promise<void> {
    // One that is still being opened is waited for; one that fails tells so by itself.
    const services = await Promise.allSettled(this.#made);
    const closed = await Promise.allSettled(
      services.map(async (service) => (service.status === 'fulfilled' ? service.value.close() : undefined)),
    );
    for (const result of closed) {
      if (result.status === 'rejected') new Logger('Bulwark').error('a data service did not close', result.reason);
    }
  }
}
