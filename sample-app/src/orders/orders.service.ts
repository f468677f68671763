import { randomUUID } from 'node:crypto';
import { Injectable, NotFoundException, UnprocessableEntityException } from '@nestjs/common';
import { Bulkhead } from 'nestjs-bulwark';
import { CatalogueService } from '../catalogue/catalogue.service.js';
import { PaymentDeclinedException } from '../payments/payment-declined.exception.js';
import type { Bill } from '../payments/payment.js';
import { PaymentsService } from '../payments/payments.service.js';
import { OrderBook } from './order-book.js';
import type { OrderItemDto } from './order-item.dto.js';
import type { Order, OrderLine } from './order.js';

@Injectable()
export class OrdersService {
  constructor(
    private readonly catalogue: CatalogueService,
    private readonly payments: PaymentsService,
    private readonly book: OrderBook,
  ) {}

  /** @throws UnprocessableEntityException, PaymentDeclinedException */
  async place(items: readonly OrderItemDto[]): Promise<Order> {
    const lines = await Promise.all(items.map((item) => this.#price(item)));
    const order: Order = {
      id: randomUUID(),
      placedAt: new Date().toISOString(),
      lines,
      totalCents: lines.reduce((sum, { priceCents, quantity }) => sum + priceCents * quantity, 0),
      payment: { status: 'pending' },
    };
    await this.book.add(order);
    return accepted(await this.book.close(order, await this.payments.payOrDefer(billFor(order))));
  }

  /**
   * Asks again for a payment that is pending.
   *
   * @throws NotFoundException, PaymentDeclinedException, and what {@link PaymentsService.pay} throws.
   */
  async pay(id: string): Promise<Order> {
    return accepted(await this.settle(await this.get(id)));
  }

  /** @throws what {@link PaymentsService.pay} throws. */
  async settle(order: Order): Promise<Order> {
    if (order.payment.status !== 'pending') return order;
    return this.book.close(order, await this.payments.pay(billFor(order)));
  }

  /** @throws NotFoundException */
  async get(id: string): Promise<Order> {
    const order = await this.book.find(id);
    if (order === undefined) throw new NotFoundException(`There is no order ${id}`);
    return order;
  }

  /** It reads the whole book, so few may do it at once. */
  @Bulkhead({ maxConcurrent: 2, maxQueue: 20, maxWait: 500 })
  async latest(limit: number): Promise<Order[]> {
    return this.book.latest(limit);
  }

  async #price({ sku, quantity }: OrderItemDto): Promise<OrderLine> {
    const product = await this.catalogue.find(sku);
    if (product === undefined) throw new UnprocessableEntityException(`There is no product ${sku}`);
    return { sku, quantity, priceCents: product.priceCents };
  }
}

function accepted(order: Order): Order {
  if (order.payment.status === 'declined') throw new PaymentDeclinedException();
  return order;
}

/** An order is paid for once, however often it is asked for: its id is the reference. */
function billFor({ id, totalCents }: Order): Bill {
  return { reference: id, amountCents: totalCents };
}
