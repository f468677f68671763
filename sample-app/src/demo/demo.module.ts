import { Module } from '@nestjs/common';
import { OrdersModule } from '../orders/orders.module.js';
import { UpstreamControlModule } from '../upstream-control/upstream-control.module.js';
import { DemoController } from './demo.controller.js';
import { StyleController } from './style.controller.js';

/** A page that breaks the provider on purpose. A sample has this; a shop has not. */
@Module({ imports: [OrdersModule, UpstreamControlModule], controllers: [DemoController, StyleController] })
export class DemoModule {}
