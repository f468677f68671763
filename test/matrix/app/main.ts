/** The app that test/matrix/run.mjs compiles with each TypeScript and runs on each Node, Nest and HTTP server. */
import 'reflect-metadata';
import { strictEqual } from 'node:assert/strict';
import { Controller, Get, Injectable, Module, UseInterceptors } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import {
  Bulkhead,
  CircuitBreaker,
  CircuitOpenException,
  Fallback,
  RateLimit,
  ResilienceModule,
  ResilienceService,
  Retry,
  Timeout,
  TimeoutInterceptor,
} from 'nestjs-bulwark';
import { fileData } from 'nestjs-bulwark/data';
import { ResilienceDashboardModule } from 'nestjs-bulwark/dashboard';
import { resilientFetch } from 'nestjs-bulwark/http';

@Injectable()
class Upstream {
  attempts = 0;

  @Timeout(1_000)
  @Bulkhead({ maxConcurrent: 2 })
  @RateLimit({ limit: 1_000, per: 1_000 })
  async fine(): Promise<string> {
    return 'fine';
  }

  @CircuitBreaker({ volumeThreshold: 2, resetTimeout: 60_000 })
  @Retry(1)
  @Fallback('cached')
  async broken(): Promise<string> {
    this.attempts += 1;
    throw new Error('gone');
  }

  async cached(error: unknown): Promise<string> {
    return error instanceof CircuitOpenException ? error.code : 'cached';
  }
}

@Controller()
@UseInterceptors(new TimeoutInterceptor(1_000))
class AppController {
  constructor(private readonly upstream: Upstream) {}

  @Get('fine')
  fine(): Promise<string> {
    return this.upstream.fine();
  }

  @Get('broken')
  broken(): Promise<string> {
    return this.upstream.broken();
  }
}

@Module({
  imports: [
    ResilienceModule.forRoot({ callContext: true, dataService: fileData({ path: './data' }) }),
    ResilienceDashboardModule.forRoot({ path: 'resilience', guards: [] }),
  ],
  controllers: [AppController],
  providers: [Upstream],
})
class AppModule {}

async function main(): Promise<void> {
  const adapter = process.env['ADAPTER'] === 'fastify' ? new FastifyAdapter() : new ExpressAdapter();
  const app = await NestFactory.create(AppModule, adapter, { logger: ['error'] });
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();
  const get = async (path: string): Promise<string> => (await resilientFetch(`${url}/${path}`)).text();

  strictEqual(await get('fine'), 'fine');
  for (let call = 0; call < 4; call++) await get('broken');
  strictEqual(await get('broken'), 'CIRCUIT_OPEN');
  strictEqual(app.get(ResilienceService).plan().length > 0, true);
  strictEqual((await get('resilience')).includes('<html'), true);
  await app.close();
}

void main();
