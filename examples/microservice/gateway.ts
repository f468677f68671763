import { Controller, Get, Module, Param } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Transport } from '@nestjs/microservices';
import { ResilienceModule } from 'nestjs-bulwark';
import { ResilienceClientsModule } from 'nestjs-bulwark/microservices';
import { PricesClient, StockClient, type Price } from './clients.js';

@Controller()
class ProductsController {
  constructor(
    private readonly prices: PricesClient,
    private readonly stock: StockClient,
  ) {}

  @Get('products/:sku')
  async product(@Param('sku') sku: string): Promise<Price & { pieces: number | null }> {
    const [price, pieces] = await Promise.all([this.prices.price(sku), this.stock.pieces(sku)]);
    return { ...price, pieces };
  }
}

@Module({
  imports: [
    // A client of the gateway says by X-Request-Timeout how long it waits; each service is told what is left of that.
    ResilienceModule.forRoot({ callContext: true, deadlines: { accept: true }, exceptionFilter: true }),
    ResilienceClientsModule.register([
      { name: 'PRICES', transport: Transport.TCP, options: { port: Number(process.env['PRICES_PORT'] ?? 4001) } },
      { name: 'STOCK', transport: Transport.TCP, options: { port: Number(process.env['STOCK_PORT'] ?? 4002) } },
    ]),
  ],
  controllers: [ProductsController],
  providers: [PricesClient, StockClient],
})
class GatewayModule {}

const app = await NestFactory.create(GatewayModule);
await app.listen(process.env['PORT'] ?? 3000);
