/**
 * A Nest app with a queue and a pool, which is told to end by SIGTERM; run by sigterm.deep.test.ts in a process of its own. It
 * says where it listens, and in its last hook what has come to it.
 */
import 'reflect-metadata';
import { writeSync } from 'node:fs';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import {
  Controller,
  Get,
  Inject,
  Injectable,
  Sse,
  type MessageEvent,
  type OnApplicationShutdown,
  type OnModuleDestroy,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { WsAdapter } from '@nestjs/platform-ws';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { Bulkhead, drainOnSignals, ResilienceModule, ResilienceService } from 'nestjs-bulwark';
import { finalize, interval, map, type Observable } from 'rxjs';

/** What sigterm.deep.test.ts reads. */
export interface SigtermReport {
  /** When each request came, ms. */
  readonly came: Readonly<Record<string, number>>;
  readonly signalledAt: number;
  /** How many have waited at once at most. */
  readonly waited: number;
  /** How many streams of events had not been let go of when the pool was closed. */
  readonly streams: number;
}

const [, , platform = 'express', delay = '300', grace = '5000'] = process.argv;

let signalledAt = NaN;
let waited = 0;
let streams = 0;
let streamsAtEnd = 0;
const came: Record<string, number> = {};

@Injectable()
class Pool implements OnModuleDestroy {
  private open = true;

  onModuleDestroy(): void {
    this.open = false;
    streamsAtEnd = streams;
  }

  async query(ms: number): Promise<string> {
    await wait(ms);
    if (!this.open) throw new Error('the pool is closed');
    return 'fine';
  }
}

@Controller()
class Shop implements OnApplicationShutdown {
  constructor(
    @Inject(Pool) private readonly pool: Pool,
    @Inject(ResilienceService) private readonly resilience: ResilienceService,
  ) {}

  @Get('find/:id')
  @Bulkhead('shop', { maxConcurrent: 15, maxQueue: 100 })
  find(): Promise<string> {
    for (const { waiting } of this.resilience.bulkheads()) waited = Math.max(waited, waiting);
    return this.pool.query(20);
  }

  @Get('hang')
  hang(): Promise<string> {
    return this.pool.query(60_000);
  }

  @Sse('events')
  events(): Observable<MessageEvent> {
    streams++;
    return interval(20).pipe(
      map((n) => ({ data: String(n) })),
      finalize(() => streams--),
    );
  }

  onApplicationShutdown(): void {
    const report: SigtermReport = { came, signalledAt, waited, streams: streamsAtEnd };
    writeSync(1, `${JSON.stringify(report)}\n`);
  }
}

@WebSocketGateway({ path: '/ws' })
class Talk {
  constructor(@Inject(Pool) private readonly pool: Pool) {}

  @SubscribeMessage('find')
  async find(): Promise<{ event: string; data: string }> {
    return { event: 'found', data: await this.pool.query(20) };
  }
}

class App {}
const module = {
  module: App,
  imports: [ResilienceModule.forRoot({ log: false, shutdown: { delay: Number(delay), grace: Number(grace) } })],
  controllers: [Shop],
  providers: [Pool, Talk],
};
const adapter =
  platform === 'express' ? new ExpressAdapter() : new FastifyAdapter({ http2: platform === 'http2' } as never);
const app = await NestFactory.create(module, adapter, { logger: false });
app.useWebSocketAdapter(new WsAdapter(app));
process.on('SIGTERM', () => (signalledAt = performance.now()));
drainOnSignals(app);
await app.listen(0, '127.0.0.1');
const server = app.getHttpServer() as Server;
server.prependListener('request', ({ url = '' }: IncomingMessage) => {
  came[url.slice(url.lastIndexOf('/') + 1)] = performance.now();
});
writeSync(1, `${(server.address() as AddressInfo).port}\n`);
