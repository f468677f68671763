import {
  BadRequestException,
  Controller,
  Get,
  Injectable,
  Param,
  UseInterceptors,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import {
  CircuitBreakerInterceptor,
  Fallback,
  FallbackInterceptor,
  fixed,
  RecoverInterceptor,
  ResilienceInterceptor,
  ResilienceModule,
  ResilienceService,
  RetryInterceptor,
  Timeout,
  TimeoutInterceptor,
  type CallInfo,
} from 'nestjs-bulwark';
import type { Observable } from 'rxjs';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { PLATFORMS, start, type Platform } from './support/harness.js';

const again = (maxAttempts: number) => RetryInterceptor.with({ maxAttempts, backoff: fixed(0) });

const trail: string[] = [];
const seen: Record<string, unknown>[] = [];
let attempts = 0;

/** Another library's interceptor, which notes when it is entered. */
@Injectable()
class Noting implements NestInterceptor {
  intercept(_: ExecutionContext, next: CallHandler): Observable<unknown> {
    trail.push('noting');
    return next.handle();
  }
}

@Controller('limited')
@UseInterceptors(TimeoutInterceptor.with(30))
class LimitedController {
  @Get('slow')
  async slow(): Promise<string> {
    return new Promise(() => undefined);
  }

  @Get('unlimited')
  @Timeout(false)
  async unlimited(): Promise<string> {
    return new Promise((resolve) => setTimeout(() => resolve('unlimited'), 80));
  }

  @Get('longer')
  @Timeout(5_000)
  async longer(): Promise<string> {
    return new Promise((resolve) => setTimeout(() => resolve('longer'), 80));
  }
}

@Controller('orders')
class OrdersController {
  @Get('asked/:id')
  @UseInterceptors(
    FallbackInterceptor.with((error: unknown, call: CallInfo) => {
      const context = call.context as ExecutionContext;
      const [request] = call.args as [{ params: Record<string, string> }];
      seen.push({
        message: (error as Error).message,
        handler: context.getHandler().name,
        controller: context.getClass().name,
        args: call.args.length >= 2,
        id: request.params.id,
        place: `${call.className}.${call.methodName}`,
      });
      return { from: 'fallback' };
    }),
  )
  asked(@Param('id') _id: string): never {
    throw new Error('down');
  }

  @Get('ordered')
  @UseInterceptors(again(2), Noting, again(2))
  ordered(): never {
    trail.push('handler');
    throw new Error('down');
  }

  @Get('nested')
  @UseInterceptors(FallbackInterceptor.with({ value: { from: 'outer' } }), TimeoutInterceptor.with(30))
  nested(): Promise<never> {
    return new Promise(() => undefined);
  }

  @Get('set')
  @UseInterceptors(
    ResilienceInterceptor.with({
      name: 'orders',
      fallback: (error: unknown) => ({ by: (error as { code?: string }).code ?? 'error' }),
      retry: { maxAttempts: 3, backoff: fixed(0) },
      circuitBreaker: { volumeThreshold: 3, resetTimeout: 60_000 },
    }),
  )
  set(): never {
    attempts++;
    throw new Error('down');
  }

  @Get('substituted')
  @UseInterceptors(ResilienceInterceptor.with({ fallback: { value: { from: 'set' } } }))
  @Fallback({ value: { from: 'handler' } })
  async substituted(): Promise<{ from: string }> {
    throw new Error('down');
  }

  @Get('refused')
  @UseInterceptors(RecoverInterceptor.with({ value: { from: 'recover' }, log: false }))
  refused(): never {
    throw new BadRequestException('your fault');
  }
}

describe.each(PLATFORMS)('an interceptor on $platform', ({ adapter }: Platform) => {
  const controllers = [LimitedController, OrdersController];
  const app = () => start({ imports: [ResilienceModule.forRoot()], controllers }, { adapter });

  beforeEach(() => {
    trail.length = seen.length = attempts = 0;
  });

  it.each([
    ['slow', 504],
    ['unlimited', 200],
    ['longer', 200],
  ])('lets the handler decide on the limit, when the route is %s', async (path, status) => {
    const { url } = await app();

    expect((await fetch(`${url}/limited/${path}`)).status).toBe(status);
  });

  it('tells a handler of a fallback the arguments and the context, when it falls back', async () => {
    const { url } = await app();

    const answer = await (await fetch(`${url}/orders/asked/7`)).json();

    expect(answer).toEqual({ from: 'fallback' });
    expect(seen).toEqual([
      {
        message: 'down',
        handler: 'asked',
        controller: 'OrdersController',
        args: true,
        id: '7',
        place: 'OrdersController.asked',
      },
    ]);
  });

  it("runs in Nest's order, when several stand on a handler", async () => {
    const { url } = await app();

    await fetch(`${url}/orders/ordered`);

    // The first one repeats everything inside it.
    expect(trail).toEqual(['noting', 'handler', 'handler', 'noting', 'handler', 'handler']);
  });

  it('answers for the inner one, when an outer fallback stands before a timeout', async () => {
    const { url } = await app();

    expect(await (await fetch(`${url}/orders/nested`)).json()).toEqual({ from: 'outer' });
  });

  it('runs its policies in the order of the table, when it is a whole set', async () => {
    const { app: running, url } = await app();

    const answers = [await (await fetch(`${url}/orders/set`)).json(), await (await fetch(`${url}/orders/set`)).json()];

    expect(answers).toEqual([{ by: 'error' }, { by: 'CIRCUIT_OPEN' }]);
    expect(attempts).toBe(3);
    expect(running.get(ResilienceService).circuitBreaker('orders').state).toBe('open');
  });

  it('leaves the fallback to the handler, when both have one', async () => {
    const { url } = await app();

    expect(await (await fetch(`${url}/orders/substituted`)).json()).toEqual({ from: 'handler' });
  });

  it('lets an HttpException below 500 through, when it recovers', async () => {
    const { url } = await app();

    expect((await fetch(`${url}/orders/refused`)).status).toBe(400);
  });

  it('goes on as ever, when a client leaves before its answer', async () => {
    const unhandled: unknown[] = [];
    const onUnhandled = (reason: unknown): void => void unhandled.push(reason);
    process.on('unhandledRejection', onUnhandled);
    onTestFinished(() => void process.off('unhandledRejection', onUnhandled));
    const { url } = await app();

    const left = await fetch(`${url}/limited/slow`, { signal: AbortSignal.timeout(10) }).catch((error: Error) => error);
    const answers = await Promise.all([fetch(`${url}/limited/slow`), fetch(`${url}/limited/longer`)]);

    expect(left).toBeInstanceOf(Error);
    expect(answers.map(({ status }) => status)).toEqual([504, 200]);
    expect(unhandled).toEqual([]);
  });

  it('has a breaker only for the handler on which it stands, when the controller has others', async () => {
    @Controller('pair')
    class PairController {
      @Get('judged')
      @UseInterceptors(CircuitBreakerInterceptor)
      judged(): string {
        return 'judged';
      }
      @Get('plain')
      plain(): string {
        return 'plain';
      }
    }
    const { app: running, url } = await start(
      { imports: [ResilienceModule.forRoot()], controllers: [PairController] },
      { adapter },
    );

    await fetch(`${url}/pair/plain`);
    await fetch(`${url}/pair/judged`);

    const names = running
      .get(ResilienceService)
      .circuitBreakers()
      .map(({ name }) => name);
    expect(names).toEqual(['PairController.judged']);
  });
});
