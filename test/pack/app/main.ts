/** The app that test/pack/run.mjs compiles and runs against the packed library: as ESM on Nest 12, as CommonJS on Nest 11. */
import 'reflect-metadata';
import { deepStrictEqual, rejects, strictEqual } from 'node:assert/strict';
import { Controller, Get, Injectable, Module, Param, UseInterceptors, type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  CircuitBreaker,
  CircuitOpenException,
  DataService,
  Fallback,
  InjectDataService,
  ResilienceModule,
  ResilienceService,
  Retry,
  TimeoutInterceptor,
} from 'nestjs-bulwark';
import { databaseData, fileData } from 'nestjs-bulwark/data';
// @nestjs/axios is not installed: neither this nor its types need it.
import { resilientFetch, UpstreamHttpError } from 'nestjs-bulwark/http';

interface Price {
  sku: string;
  cents: number;
}

@Injectable()
class Prices {
  attempts = 0;
  readonly refusals: unknown[] = [];

  constructor(@InjectDataService() private readonly data: DataService) {}

  @CircuitBreaker({ volumeThreshold: 2, resetTimeout: 60_000 })
  @Retry(2)
  @Fallback('cached')
  async price(sku: string): Promise<Price> {
    this.attempts += 1;
    throw new Error(`no price for ${sku}: the upstream is gone`);
  }

  async cached(sku: string, error: unknown): Promise<Price> {
    if (error instanceof CircuitOpenException) this.refusals.push(error.code);
    const known = await this.data.get<Price>(sku);
    return known ?? { sku, cents: -1 };
  }
}

@Controller()
class PricesController {
  constructor(private readonly prices: Prices) {}

  @Get('prices/:sku')
  price(@Param('sku') sku: string): Promise<Price> {
    return this.prices.price(sku);
  }

  @Get('hanging')
  @UseInterceptors(TimeoutInterceptor.with(300))
  hanging(): Promise<never> {
    return new Promise(() => undefined);
  }
}

@Module({
  imports: [
    ResilienceModule.forRoot({
      callContext: true,
      policies: { default: { timeout: 2000 } },
      dataService:
        process.env['DATA_BACKEND'] === 'database'
          ? databaseData({ url: 'sqlite:./shop.db' })
          : fileData({ path: './data' }),
    }),
  ],
  controllers: [PricesController],
  providers: [Prices],
})
class AppModule {}

/** Never called: the packed types must refuse the name of a method that is not there. */
export function refusedByTheCompiler(): unknown {
  class Misspelt {
    // @ts-expect-error there is no method `cahced`
    @Fallback('cahced')
    async price(): Promise<number> {
      return 1;
    }
  }
  return Misspelt;
}

async function check(app: INestApplication): Promise<void> {
  const url = await app.getUrl();
  const get = async (path: string): Promise<{ status: number; body: unknown }> => {
    const answer = await fetch(`${url}${path}`);
    return { status: answer.status, body: await answer.json() };
  };
  const prices = app.get(Prices);
  const breaker = app.get(ResilienceService).circuitBreaker('Prices.price');

  const apple: Price = { sku: 'apple', cents: 120 };
  await app.get(DataService).put('apple', apple);
  strictEqual(breaker.state, 'closed');

  deepStrictEqual(await get('/prices/apple'), { status: 200, body: apple });
  strictEqual(prices.attempts, 2, 'the retry makes a second attempt');
  strictEqual(breaker.state, 'open', 'two failures open the breaker');
  deepStrictEqual(prices.refusals, []);

  deepStrictEqual(await get('/prices/apple'), { status: 200, body: apple });
  deepStrictEqual(await get('/prices/pear'), { status: 200, body: { sku: 'pear', cents: -1 } });
  strictEqual(prices.attempts, 2, 'an open breaker lets nothing through');
  deepStrictEqual(prices.refusals, ['CIRCUIT_OPEN', 'CIRCUIT_OPEN']);

  deepStrictEqual(await get('/hanging'), {
    status: 504,
    body: { statusCode: 504, message: 'Gateway Timeout', errorCode: 'TIMEOUT' },
  });
  await rejects(resilientFetch(`${url}/hanging`), UpstreamHttpError);
}

async function main(): Promise<void> {
  const app = await NestFactory.create(AppModule, { logger: ['error', 'warn'] });
  await app.listen(0, '127.0.0.1');
  try {
    await check(app);
  } finally {
    await app.close();
  }
  // No process.exit(): the process must end by itself.
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
