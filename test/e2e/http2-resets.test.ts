import { connect, constants } from 'node:http2';
import { setTimeout as delay } from 'node:timers/promises';
import { Controller, Get, Logger, Module, Res } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { ResilienceModule, ResilienceService } from 'nestjs-bulwark';
import { expect, it, onTestFinished } from 'vitest';

Logger.overrideLogger(false);

/** As far as this test needs Fastify's. */
interface Reply {
  hijack(): void;
  readonly raw: NodeJS.WritableStream & { readonly destroyed?: boolean };
}

@Controller()
class Downloads {
  @Get('big')
  big(): string {
    return 'x'.repeat(3_000_000);
  }

  /** As one that writes by hand does: it waits for a drain that will not come. */
  @Get('by-hand')
  async byHand(@Res() reply: Reply): Promise<void> {
    reply.hijack();
    for (let n = 0; n < 30; n++) {
      if (!reply.raw.write('y'.repeat(100_000))) await new Promise((resolve) => reply.raw.once('drain', resolve));
    }
    reply.raw.end();
  }
}

@Module({
  imports: [ResilienceModule.forRoot({ systemProtection: { concurrency: 1_000, eventLoopDelay: false } })],
  controllers: [Downloads],
})
class AppModule {}

const GOODBYES = [
  ['a reset', constants.NGHTTP2_CANCEL],
  ['a reset without an error', constants.NGHTTP2_NO_ERROR],
  ['nothing but the loss of the connection', undefined],
] as const;

it.each(
  GOODBYES.flatMap(([goodbye, code]) =>
    ['GET /big', 'GET /by-hand', 'HEAD /by-hand'].map((request) => [request, goodbye, code] as const),
  ),
)('an answer over HTTP/2 that its client leaves gives its place back: %s, %s', async (request, _, code) => {
  const app = await NestFactory.create(AppModule, new FastifyAdapter({ http2: true } as never), { logger: false });
  // Node's server waits for ever for a stream that was reset while something was to be sent on it.
  onTestFinished(() => void app.close().catch(() => undefined));
  await app.listen(0, '127.0.0.1');
  const { systemProtection } = app.get(ResilienceService);
  const [method, path] = request.split(' ');
  const client = connect(await app.getUrl());
  client.on('error', () => undefined);
  for (let n = 0; n < 20; n++) {
    const stream = client.request({ ':method': method, ':path': path });
    stream.on('error', () => undefined);
    if (code !== undefined) setTimeout(() => stream.close(code), n * 4);
  }
  await delay(150);
  client.destroy();

  // Far less than the 5 s after which one that writes no more is given up.
  await expect.poll(() => systemProtection?.active, { timeout: 2_500 }).toBe(0);
});
