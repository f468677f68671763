import { Body, Controller, Get, Inject, Module, NotFoundException, Param, Put } from '@nestjs/common';
import { DataService, ResilienceModule } from 'nestjs-bulwark';
import { databaseData, failoverData, fileData, type FailoverDataService } from 'nestjs-bulwark/data';
import { OrdersRepository, type Order } from './orders.repository.js';

@Controller()
class OrdersController {
  constructor(
    private readonly orders: OrdersRepository,
    @Inject(DataService) private readonly data: FailoverDataService,
  ) {}

  @Put('orders/:id')
  save(@Param('id') id: string, @Body() order: Order): Promise<void> {
    return this.orders.save(id, order);
  }

  @Get('orders/:id')
  async find(@Param('id') id: string): Promise<Order> {
    const order = await this.orders.find(id);
    if (order === undefined) throw new NotFoundException();
    return order;
  }

  /** Which stores are up, and how many writes wait for the database. */
  @Get('status')
  status(): unknown {
    return this.data.status();
  }
}

const folder = process.env['DATA_DIR'] ?? '.data/example';

@Module({
  imports: [
    ResilienceModule.forRoot({
      exceptionFilter: true,
      dataService: failoverData({
        // SQLite without a server; postgres://... or mysql://... for more than one machine. Nothing else changes.
        primary: databaseData({ url: process.env['DATABASE_URL'] ?? `sqlite:${folder}/orders.db` }),
        // What was read and written here is copied to files, and read from them while the database is away.
        standbys: [{ mirror: fileData({ path: `${folder}/mirror` }) }],
        reads: 'fallback',
        // A write is durable before it is acknowledged: in the database, or on this disk until that is back.
        writes: 'queue',
        queue: { path: `${folder}/queue` },
      }),
    }),
  ],
  controllers: [OrdersController],
  providers: [OrdersRepository],
})
export class AppModule {}
