import { Body, Controller, Get, HttpCode, Param, Post, Query, UseInterceptors } from '@nestjs/common';
import { RateLimit, TimeoutInterceptor } from 'nestjs-bulwark';
import { limitScope } from '../fleet/limit-scope.js';
import { CreateOrderDto } from './create-order.dto.js';
import { ListOrdersQuery } from './list-orders.query.js';
import { OrderParams } from './order.params.js';
import type { Order } from './order.js';
import { OrdersService } from './orders.service.js';

@Controller('orders')
@UseInterceptors(TimeoutInterceptor.with({ total: 1_500 }))
export class OrdersController {
  constructor(private readonly orders: OrdersService) {}

  /** An order is taken also while nobody can be charged: its payment is then `pending`. */
  @Post()
  create(@Body() { items }: CreateOrderDto): Promise<Order> {
    return this.orders.place(items);
  }

  @Get()
  list(@Query() { limit }: ListOrdersQuery): Promise<Order[]> {
    return this.orders.latest(limit);
  }

  @Get(':id')
  get(@Param() { id }: OrderParams): Promise<Order> {
    return this.orders.get(id);
  }

  /** Asks for a pending payment now, and says so when it cannot be had; five times in ten seconds at most. */
  @Post(':id/payment')
  @RateLimit({ limit: 5, per: 10_000, key: ({ id }: OrderParams) => id, scope: limitScope })
  @HttpCode(200)
  pay(@Param() { id }: OrderParams): Promise<Order> {
    return this.orders.pay(id);
  }
}
