import { Module } from '@nestjs/common';
import { CatalogueModule } from '../catalogue/catalogue.module.js';
import { PaymentsModule } from '../payments/payments.module.js';
import { OrderBook } from './order-book.js';
import { OrdersController } from './orders.controller.js';
import { OrdersService } from './orders.service.js';
import { SettlementJob } from './settlement.job.js';

@Module({
  imports: [CatalogueModule, PaymentsModule],
  controllers: [OrdersController],
  providers: [OrderBook, OrdersService, SettlementJob],
  exports: [OrdersService],
})
export class OrdersModule {}
