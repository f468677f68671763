import {
  All,
  Controller,
  Get,
  Injectable,
  UseInterceptors,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { ResilienceInterceptor, ResilienceModule, ResilienceService, type ResilienceEvent } from 'nestjs-bulwark';
import { tap, type Observable } from 'rxjs';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { PLATFORMS, start, startUpError, type Platform } from './support/harness.js';

const hedging = ResilienceInterceptor.with({ name: 'hedged', hedge: { after: 20 }, circuitBreaker: {}, retry: 2 });

let runs = 0;
let items = 0;
/** Ends the runs of the handler, in the order in which they began. */
let answers: ((text: string) => void)[] = [];

/** Waits until the handler has begun `count` times. */
const begun = (count: number) => vi.waitFor(() => expect(answers).toHaveLength(count), 30_000);

@Injectable()
class CountItems implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(tap(() => items++));
  }
}

@Controller('hedged')
class HedgedController {
  @All()
  @UseInterceptors(CountItems, hedging)
  hedged(): Promise<string> {
    runs++;
    return new Promise((resolve) => answers.push(resolve));
  }
}

@Controller('flights')
class FlightsController {
  @Get()
  @UseInterceptors(ResilienceInterceptor.with({ coalesce: { key: () => 'all' } }))
  load(): string {
    return 'value';
  }
}

describe.each(PLATFORMS)('an interceptor that hedges on $platform', ({ adapter }: Platform) => {
  const app = async () => {
    const running = await start(
      { imports: [ResilienceModule.forRoot()], controllers: [HedgedController] },
      { adapter },
    );
    const { events$ } = running.app.get(ResilienceService);
    /** Resolves at the first event of a type. */
    const told = (type: ResilienceEvent['type']) =>
      new Promise<ResilienceEvent>((resolve) => events$.subscribe((event) => event.type === type && resolve(event)));
    return { ...running, told };
  };

  beforeEach(() => {
    runs = items = 0;
    answers = [];
  });

  it('handles a GET request once more, when it takes too long, and gives the first answer', async () => {
    const { url, app: nest, told } = await app();
    const hedge = told('hedge');
    const ignored = told('ignored');
    const response = fetch(`${url}/hedged`);
    expect(await hedge).toMatchObject({ name: 'hedged', policy: 'hedge', attempt: 2, delayMs: 20 });
    await begun(2);
    answers[1]?.('second');

    expect(await response.then((one) => one.text())).toBe('second');
    expect(await ignored).toMatchObject({ policy: 'circuitBreaker', reason: 'a faster attempt answered' });
    answers[0]?.('first');
    expect([runs, items]).toEqual([2, 1]);
    expect(nest.get(ResilienceService).circuitBreaker('hedged').stats).toMatchObject({ fires: 2, successes: 1 });
  });

  it('gives one answer, when both come at the same moment', async () => {
    const { url, told } = await app();
    const hedge = told('hedge');
    const response = fetch(`${url}/hedged`);
    await hedge;
    await begun(2);
    answers[0]?.('first');
    answers[1]?.('second');

    expect(await response.then((one) => one.text())).toBe('first');
    expect([runs, items]).toEqual([2, 1]);
  });

  it.each(['POST', 'PATCH'])('handles a %s request once, however long it takes', async (method) => {
    const { url, told } = await app();
    const suppressed = told('retrySuppressed');
    const response = fetch(`${url}/hedged`, { method });
    expect(await suppressed).toMatchObject({ policy: 'hedge', reason: 'notRepeatable' });
    answers[0]?.('only');

    expect(await response.then((one) => one.text())).toBe('only');
    expect(runs).toBe(1);
  });
});

describe('an interceptor with a single flight', () => {
  it('keeps the app from starting: two requests may not share one answer', async () => {
    const error = await startUpError({ imports: [ResilienceModule.forRoot()], controllers: [FlightsController] });

    expect(error.message).toMatch(/FlightsController\.load, .*: a single flight expects .* got an Observable/);
  });
});
