import {
  All,
  BadRequestException,
  Controller,
  Get,
  Res,
  ServiceUnavailableException,
  UseInterceptors,
} from '@nestjs/common';
import {
  CircuitBreaker,
  fixed,
  Idempotent,
  ResilienceModule,
  Resilient,
  Retry,
  RetryInterceptor,
} from 'nestjs-bulwark';
import { beforeEach, describe, expect, it } from 'vitest';
import { PLATFORMS, start, type Platform } from './support/harness.js';

const again = (maxAttempts: number) => RetryInterceptor.with({ maxAttempts, backoff: fixed(0) });

let attempts = 0;

@Controller('retried')
@UseInterceptors(again(3))
class RetriedController {
  @All('any')
  any(): never {
    attempts++;
    throw new ServiceUnavailableException();
  }

  @Get('begun')
  begun(@Res() response: { raw?: { write(text: string): void }; write?(text: string): void }): never {
    attempts++;
    // The answer has begun: it cannot be taken back.
    const target = (response.raw ?? response) as { write(text: string): void; end(): void };
    target.write('begun');
    setImmediate(() => target.end());
    throw new ServiceUnavailableException();
  }

  @All('idempotent')
  @Idempotent()
  idempotent(): never {
    attempts++;
    throw new ServiceUnavailableException();
  }

  @Get('client-error')
  clientError(): never {
    attempts++;
    throw new BadRequestException('your fault');
  }

  @Get('own')
  @Retry({ maxAttempts: 5, backoff: fixed(0) })
  async own(): Promise<never> {
    attempts++;
    throw new Error('down');
  }

  @Get('off')
  @Retry(false)
  async off(): Promise<never> {
    attempts++;
    throw new Error('down');
  }

  @Get('exempt')
  @Resilient(false)
  async exempt(): Promise<never> {
    attempts++;
    throw new Error('down');
  }
}

@Resilient(false)
@Controller('exempt')
@UseInterceptors(again(3))
class ExemptController {
  @Get()
  async load(): Promise<never> {
    attempts++;
    throw new Error('down');
  }
}

@Controller('judged')
class JudgedController {
  @Get()
  @CircuitBreaker({ volumeThreshold: 1 })
  @UseInterceptors(again(3))
  async judged(): Promise<never> {
    attempts++;
    throw new Error('down');
  }
}

describe.each(PLATFORMS)('an interceptor that retries on $platform', ({ adapter }: Platform) => {
  const controllers = [RetriedController, ExemptController];
  const app = () => start({ imports: [ResilienceModule.forRoot()], controllers }, { adapter });

  beforeEach(() => {
    attempts = 0;
  });

  it.each([
    ['GET', 3],
    ['HEAD', 3],
    ['OPTIONS', 3],
    ['PUT', 3],
    ['DELETE', 3],
    ['POST', 1],
    ['PATCH', 1],
  ])(
    'calls the handler of a %s request %i times, when it retries and the handler always fails',
    async (method, calls) => {
      const { url } = await app();

      const { status } = await fetch(`${url}/retried/any`, { method });

      expect(status).toBe(503);
      expect(attempts).toBe(calls);
    },
  );

  it.each(['POST', 'PATCH'])('repeats a %s request, when the handler says that it may be repeated', async (method) => {
    const { url } = await app();

    const { status } = await fetch(`${url}/retried/idempotent`, { method });

    expect([status, attempts]).toEqual([503, 3]);
  });

  it('calls the handler once, when the answer has begun', async () => {
    const { url } = await app();

    await fetch(`${url}/retried/begun`)
      .then((response) => response.text())
      .catch(() => undefined);

    expect(attempts).toBe(1);
  });

  it('calls the handler once, when it answers with a client error', async () => {
    const { url } = await app();

    const response = await fetch(`${url}/retried/client-error`);

    expect([response.status, attempts]).toEqual([400, 1]);
  });

  it.each([
    ["the handler's own @Retry replaces it", 'own', 5],
    ["the handler's own @Retry(false) turns it off", 'off', 1],
    ['@Resilient(false) exempts the handler', 'exempt', 1],
  ])('leaves the attempts to the handler, when %s', async (_, path, calls) => {
    const { url } = await app();

    const { status } = await fetch(`${url}/retried/${path}`);

    expect([status, attempts]).toEqual([500, calls]);
  });

  it('does nothing, when @Resilient(false) stands on the controller', async () => {
    const { url } = await app();

    await fetch(`${url}/exempt`);

    expect(attempts).toBe(1);
  });

  it('retries nothing that the breaker of the handler refuses, when the handler has a breaker of its own', async () => {
    const { url } = await start(
      { imports: [ResilienceModule.forRoot()], controllers: [JudgedController] },
      { adapter },
    );

    const response = await fetch(`${url}/judged`);

    expect([response.status, attempts]).toEqual([503, 1]);
  });
});
