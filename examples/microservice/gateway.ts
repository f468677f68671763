import { Controller, Get, Module, Param } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Transport } from '@nestjs/microservices';
import { ResilienceModule, ResilienceService } from 'nestjs-bulwark';
import { ResilienceClientsModule } from 'nestjs-bulwark/microservices';
import { PricesClient, StockClient, type Price } from './clients.js';

@Controller()
class ProductsController {
  constructor(
    private readonly prices: PricesClient,
    private readonly stock: StockClient,
    private readonly resilience: ResilienceService,
  ) {}

  @Get('products/:sku')
  async product(@Param('sku') sku: string): Promise<Price & { pieces: number | null }> {
    const [price, pieces] = await Promise.all([this.prices.price(sku), this.stock.pieces(sku)]);
    return { ...price, pieces };
  }

  @Get('breakers')
  breakers(): Record<string, string> {
    return Object.fromEntries(['prices', 'stock'].map((name) => [name, this.resilience.circuitBreaker(name).state]));
  }
}

const tcp = (variable: string, port: number) =>
  ({ transport: Transport.TCP, options: { port: Number(process.env[variable] ?? port) } }) as const;

@Module({
  imports: [
    // A client of the gateway says by X-Request-Timeout how long it waits; each service is told what is left of that.
    ResilienceModule.forRoot({ callContext: true, deadlines: { accept: true }, exceptionFilter: true }),
    ResilienceClientsModule.register([
      { name: 'PRICES', ...tcp('PRICES_PORT', 4001) },
      { name: 'STOCK', ...tcp('STOCK_PORT', 4002) },
    ]),
  ],
  controllers: [ProductsController],
  providers: [PricesClient, StockClient],
})
class GatewayModule {}

const app = await NestFactory.create(GatewayModule);
await app.listen(process.env['PORT'] ?? 3000);
