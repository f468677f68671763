import { Injectable } from '@nestjs/common';
import { Bulkhead, DataService, Retry, Timeout } from 'nestjs-bulwark';

export interface Order {
  readonly item: string;
}

/** The only class that knows where orders are kept, so the policies for the database stand here, once. */
@Injectable()
export class OrdersRepository {
  constructor(private readonly data: DataService) {}

  // Reading may be repeated. There is no breaker here: failover has one for each of its stores.
  @Timeout({ perAttempt: 1_000, total: 2_500 })
  @Retry(2)
  async find(id: string): Promise<Order | undefined> {
    return this.data.get<Order>(`orders/${id}`);
  }

  // A crowd of writers waits here, where maxWait counts, and not in the pool of the driver.
  @Bulkhead({ maxConcurrent: 8, maxQueue: 50, maxWait: 1_000 })
  @Timeout(3_000)
  async save(id: string, order: Order): Promise<void> {
    await this.data.put(`orders/${id}`, order);
  }
}
