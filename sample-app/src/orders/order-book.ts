import { Injectable } from '@nestjs/common';
import { DataService } from 'nestjs-bulwark';
import type { Payment } from '../payments/payment.js';
import type { Order } from './order.js';

const ORDERS = 'orders/';
/** A note for each order whose payment is open, so that finding them takes no look at the others. */
const UNPAID = 'unpaid/';

/** The orders in the data service. */
@Injectable()
export class OrderBook {
  constructor(private readonly data: DataService) {}

  find(id: string): Promise<Order | undefined> {
    return this.data.get<Order>(ORDERS + id);
  }

  /** The newest first. */
  async latest(limit: number): Promise<Order[]> {
    const orders: Order[] = [];
    for await (const [, order] of this.data.entries<Order>({ prefix: ORDERS })) orders.push(order);
    return orders.sort((a, b) => b.placedAt.localeCompare(a.placedAt)).slice(0, limit);
  }

  /** Orders that were placed before then and whose payment is pending. */
  async *unpaidBefore(moment: Date): AsyncGenerator<Order> {
    const placedBefore = moment.toISOString();
    for await (const [key, placedAt] of this.data.entries<string>({ prefix: UNPAID })) {
      if (placedAt >= placedBefore) continue;
      const order = await this.find(key.slice(UNPAID.length));
      if (order?.payment.status === 'pending') yield order;
      else await this.data.delete(key);
    }
  }

  /** The note comes first: a crash can leave one without an order, which does no harm, but no order without one. */
  async add(order: Order): Promise<void> {
    await this.data.put(UNPAID + order.id, order.placedAt);
    await this.data.put(ORDERS + order.id, order);
  }

  async close(order: Order, payment: Payment): Promise<Order> {
    if (payment.status === 'pending') return order;
    const closed = { ...order, payment };
    await this.data.put(ORDERS + order.id, closed);
    await this.data.delete(UNPAID + order.id);
    return closed;
  }
}
