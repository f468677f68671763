import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import type { DataService } from '../../data/data.service.js';

/** The data services that the module has created, which it closes when the app has shut down. */
@Injectable()
export class OwnedDataServices implements OnApplicationShutdown {
  readonly #services = new Set<DataService>();

  adopt(service: DataService): DataService {
    this.#services.add(service);
    return service;
  }

  async onApplicationShutdown(): Promise<void> {
    const closed = await Promise.allSettled([...this.#services].map((service) => service.close()));
    for (const result of closed) {
      if (result.status === 'rejected') new Logger('Bulwark').error('a data service did not close', result.reason);
    }
  }
}
