import { Agent, request as httpRequest, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { Controller, Get, Injectable, type OnModuleDestroy, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Bulkhead, ResilienceModule, ResilienceService } from 'nestjs-bulwark';
import { describe, expect, it, onTestFinished } from 'vitest';

@Injectable()
class Pool implements OnModuleDestroy {
  private open = true;

  onModuleDestroy(): void {
    this.open = false;
  }

  async query(ms: number): Promise<string> {
    await new Promise((resolve) => setTimeout(resolve, ms));
    if (!this.open) throw new Error('the pool is closed');
    return 'fine';
  }
}

@Controller()
class Shop {
  constructor(private readonly pool: Pool) {}

  @Get()
  @Bulkhead({ maxConcurrent: 20, maxQueue: 100 })
  find(): Promise<string> {
    return this.pool.query(20);
  }

  @Get('later')
  later(): Promise<string> {
    return this.pool.query(300);
  }

  @Get('slow')
  @Bulkhead({ maxConcurrent: 20, maxQueue: 100 })
  slow(): Promise<string> {
    return this.pool.query(60_000);
  }
}

async function start(Adapter: Type<ExpressAdapter | FastifyAdapter>) {
  class App {}
  const module = {
    module: App,
    imports: [ResilienceModule.forRoot({ log: false })],
    controllers: [Shop],
    providers: [Pool],
  };
  const app = await NestFactory.create(module, new Adapter(), { logger: false });
  onTestFinished(() => app.close());
  await app.listen(0, '127.0.0.1');
  const server = app.getHttpServer() as Server;
  let accepted = 0;
  server.on('request', () => accepted++);
  const { port } = server.address() as AddressInfo;
  return { app, port, service: app.get(ResilienceService), accepted: () => accepted };
}

/** The status of an answer, or the code of the error. */
function get(port: number, agent: Agent, path = '/'): Promise<number | string> {
  return new Promise((resolve) => {
    const request = httpRequest({ port, host: '127.0.0.1', path, agent }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0));
    });
    request.on('error', (error: NodeJS.ErrnoException) =>
      resolve(request.reusedSocket ? 'reset in use' : (error.code ?? error.message)),
    );
    request.end();
  });
}

/** What the headers of an answer say of its connection. */
function connectionOf(port: number, agent: Agent, path: string): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    httpRequest({ port, host: '127.0.0.1', path, agent }, (response) => {
      response.resume().on('end', () => resolve(response.headers.connection));
    })
      .on('error', reject)
      .end();
  });
}

describe.each([
  ['Express', ExpressAdapter],
  ['Fastify', FastifyAdapter],
] as const)('drain(), on %s', (_name, Adapter) => {
  it('answers everything that was accepted, in normal service, in the queue and running, before it resolves', async () => {
    const { app, port, service, accepted } = await start(Adapter);
    const agent = new Agent({ keepAlive: true, maxSockets: 50 });
    onTestFinished(() => agent.destroy());
    const answers: Promise<number | string>[] = [];
    let stopped = false;
    const load = (async () => {
      while (!stopped) {
        for (let i = 0; i < 5; i++) answers.push(get(port, agent));
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    })();
    await new Promise((resolve) => setTimeout(resolve, 200));

    await service.drain({ delay: 200, grace: 5_000 });
    await app.close();
    stopped = true;
    await load;

    const statuses = await Promise.all(answers);
    // Who connects when nobody listens any more was not accepted; who comes when nothing new waits is told so.
    const answered = statuses.filter((status) => status === 200 || status === 503);
    expect(answered).toHaveLength(accepted());
    expect(statuses.filter((status) => status === 'reset in use')).toEqual([]);
    expect(statuses.filter((status) => status === 200).length).toBeGreaterThan(20);
  });

  it('tells the client to leave, also with an answer to a request that came before', async () => {
    const { port, service } = await start(Adapter);
    const agent = new Agent({ keepAlive: true });
    onTestFinished(() => agent.destroy());

    const answer = connectionOf(port, agent, '/later');
    await new Promise((resolve) => setTimeout(resolve, 50));
    await service.drain({ delay: 0, grace: 2_000 });

    expect(await answer).toBe('close');
  });

  it('answers a request that stands behind another in a pipeline', async () => {
    const { port, service, accepted } = await start(Adapter);
    const socket = connect(port, '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    let text = '';
    socket.on('data', (data) => (text += String(data)));
    const ask = 'GET /later HTTP/1.1\r\nHost: x\r\n\r\n';
    socket.write(ask + ask);
    while (accepted() < 2) await new Promise((resolve) => setTimeout(resolve, 10));

    await service.drain({ delay: 0, grace: 2_000 });

    expect(text.match(/HTTP\/1.1 200/g)).toHaveLength(2);
  });

  it('cuts what still runs when the grace is over', async () => {
    const { port, service } = await start(Adapter);
    const agent = new Agent({ keepAlive: true });
    onTestFinished(() => agent.destroy());
    const answer = get(port, agent, '/slow');
    await new Promise((resolve) => setTimeout(resolve, 50));
    const since = performance.now();

    await service.drain({ delay: 0, grace: 300 });

    expect(performance.now() - since).toBeLessThan(1_300);
    expect(await answer).not.toBe(200);
  });
});

describe('drain()', () => {
  it('is one, however often it is asked for', async () => {
    const { service } = await start(ExpressAdapter);

    await Promise.all([service.drain({ delay: 10, grace: 100 }), service.drain({ delay: 60_000 })]);
  });

  it('tells wrong options', async () => {
    const { service } = await start(ExpressAdapter);

    await expect(service.drain({ delay: -1 })).rejects.toThrow("ResilienceService.drain: option 'delay'");
    await expect(service.drain(5_000 as never)).rejects.toThrow('expected { delay, grace }, got 5000');
  });
});
