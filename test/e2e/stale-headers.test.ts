import {
  Body,
  Controller,
  Get,
  HttpCode,
  Injectable,
  Module,
  Param,
  Post,
  Res,
  Scope,
  Sse,
  UseInterceptors,
  type PipeTransform,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  Coalesce,
  Fallback,
  FallbackInterceptor,
  RESILIENCE_CLOCK,
  Resilient,
  ResilienceModule,
  Timeout,
  type ResilienceModuleExtras,
  type ResilienceModuleOptions,
} from 'nestjs-bulwark';
import { virtualClock } from 'nestjs-bulwark/testing';
import { interval, map, of, switchMap, take, throwError, type Observable } from 'rxjs';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { PLATFORMS, start, type Platform } from './support/harness.js';

let isUp = true;
let served = 0;
const seen: unknown[][] = [];
const MAX_AGE = 60_000;

beforeEach(() => {
  [isUp, served] = [true, 0];
  seen.length = 0;
});

function answer(of = ''): string {
  if (!isUp) throw new Error('down');
  return `${of}${++served}`;
}

@Injectable()
class Rates {
  @Fallback({ lastGood: { key: (currency: string) => `secret of ${currency}`, maxAge: MAX_AGE } })
  async current(currency: string): Promise<string> {
    return answer(currency);
  }

  @Coalesce({ key: (currency: string) => currency })
  async shared(currency: string): Promise<string> {
    return this.current(currency);
  }
}

interface PlainResponse {
  send(body: string): unknown;
  header(name: string, value: string): unknown;
}

const ALL = { lastGood: { key: () => 'all', maxAge: MAX_AGE } };

@Controller()
class Shop {
  constructor(private readonly rates: Rates) {}

  @Get('own/:id')
  @Fallback({ lastGood: { key: (id: string) => id, maxAge: MAX_AGE } })
  async own(@Param('id') id: string, extra = 'default'): Promise<string> {
    // eslint-disable-next-line prefer-rest-params -- what Nest hands over is what is looked at
    seen.push([...arguments, extra]);
    return answer(id);
  }

  @HttpCode(202)
  @Post('body')
  @Fallback(ALL)
  async body(@Body() body: unknown): Promise<unknown> {
    return { body, answer: answer() };
  }

  @Get('stream')
  @Fallback(ALL)
  stream(): Observable<string> {
    return of(0).pipe(map(() => answer()));
  }

  @Get('unknown')
  @Fallback(ALL)
  unknown() {
    return (isUp ? Promise.resolve(answer()) : Promise.reject(new Error('down'))) as unknown;
  }

  @Get('set')
  @Resilient('remembering')
  async set(): Promise<string> {
    return answer();
  }

  @Get('by-hand')
  @Fallback(ALL)
  async byHand(@Res() response: PlainResponse): Promise<void> {
    if (!isUp) throw new Error('down');
    response.send(answer());
  }

  @Get('passthrough')
  @Fallback(ALL)
  async passthrough(@Res({ passthrough: true }) response: PlainResponse): Promise<string> {
    response.header('cache-status', 'upstream; fwd=miss');
    return answer();
  }

  @Get('behind')
  @UseInterceptors(FallbackInterceptor.with(ALL))
  behind(): string {
    return answer();
  }

  @Get('guarded')
  @Timeout(1_000)
  async guarded(): Promise<string> {
    return this.rates.current('eur');
  }

  @Get('plain')
  plain(): Promise<string> {
    return this.rates.current('eur');
  }

  @Get('shared')
  shared(): Promise<string> {
    return this.rates.shared('eur');
  }

  @Sse('ticks')
  ticks(): Observable<{ data: string }> {
    return interval(5).pipe(
      take(3),
      switchMap(() => this.rates.current('eur')),
      map((data) => ({ data })),
    );
  }

  @Get('failing')
  @Fallback(ALL)
  failing(): Observable<string> {
    return throwError(() => new Error('down'));
  }
}

@Controller({ path: 'request', scope: Scope.REQUEST })
class PerRequest {
  @Get()
  @Fallback(ALL)
  async get(): Promise<string> {
    return answer();
  }
}

@Module({ controllers: [Shop, PerRequest], providers: [Rates] })
class ShopModule {}

const POLICIES = { policies: { remembering: { fallback: ALL } } };

async function serve(adapter: Platform['adapter'], options: ResilienceModuleOptions & ResilienceModuleExtras = {}) {
  const { app, url, log } = await start(
    { imports: [ResilienceModule.forRoot({ log: false, ...POLICIES, ...options }), ShopModule] },
    { adapter },
  );
  const get = (path: string, init?: RequestInit) => fetched(`${url}/${path}`, init);
  return { app, get, log };
}

async function fetched(url: string, init?: RequestInit) {
  const response = await fetch(url, init);
  const { status, headers } = response;
  return { status, text: await response.text(), age: headers.get('age'), cacheStatus: headers.get('cache-status') };
}

const FRESH = { age: null, cacheStatus: null };
const STALE = { age: '1', cacheStatus: 'nestjs-bulwark; hit; ttl=-1; detail=stale' };

describe.each(PLATFORMS)('on $platform an answer', ({ adapter }) => {
  it.each(['own/eur', 'stream', 'unknown', 'set', 'behind', 'request'])(
    'of /%s that is an old one says so',
    async (path) => {
      const { get } = await serve(adapter);
      const fresh = await get(path);
      isUp = false;

      const stale = await get(path);

      expect(fresh).toMatchObject({ ...FRESH, status: 200 });
      expect(stale).toEqual({ ...fresh, ...STALE });
    },
  );

  it('of one request says nothing of another at the same time', async () => {
    const { get } = await serve(adapter);
    await get('own/eur');
    isUp = false;

    const both = await Promise.all([get('own/eur'), get('own/usd'), get('own/eur')]);

    expect(both.map(({ status, age }) => [status, age])).toEqual([
      [200, '1'],
      [500, null],
      [200, '1'],
    ]);
  });

  it('to a body keeps its status', async () => {
    const { get } = await serve(adapter);
    const post = { method: 'POST', body: '{"a":1}', headers: { 'content-type': 'application/json' } };
    const fresh = await get('body', post);
    isUp = false;

    expect(fresh).toMatchObject({ status: 202, text: '{"body":{"a":1},"answer":"1"}', ...FRESH });
    expect(await get('body', post)).toEqual({ ...fresh, ...STALE });
  });

  it('keeps what caches before have said', async () => {
    const { get } = await serve(adapter);
    const fresh = await get('passthrough');
    isUp = false;
    // The handler speaks before it fails.
    const stale = await get('passthrough');

    expect(fresh.cacheStatus).toBe('upstream; fwd=miss');
    expect(stale).toMatchObject({ text: fresh.text, cacheStatus: `upstream; fwd=miss, ${STALE.cacheStatus}` });
  });

  it('that the handler sends by hand is left to it', async () => {
    const { get } = await serve(adapter);

    expect(await get('by-hand')).toMatchObject({ status: 200, text: '1', ...FRESH });
  });

  it('leaves the arguments of the handler, and the pipes of the app, as they are', async () => {
    const piped: unknown[] = [];
    const pipe: PipeTransform = { transform: (value: unknown) => (piped.push(value), value) };
    const module = { imports: [ResilienceModule.forRoot({ log: false, ...POLICIES }), ShopModule] };
    const { app, url } = await start(module, { adapter, prepare: (one) => one.useGlobalPipes(pipe) });

    await fetched(`${url}/own/eur`);
    const direct = await app.get(Shop).own('usd', 'more');

    expect(seen).toEqual([
      ['eur', 'default'],
      ['usd', 'more', 'more'],
    ]);
    expect(piped).toEqual(['eur']);
    expect(direct).toBe('usd2');
  });

  it.each(['plain', 'guarded', 'shared'])(
    'of /%s says so for what it calls, where the app wants that',
    async (path) => {
      const { get } = await serve(adapter, { callContext: true, staleHeaders: true });
      await get(path);
      const fresh = await get(path);
      isUp = false;

      const stale = await Promise.all([get(path), get(path)]);

      expect(fresh).toMatchObject(FRESH);
      expect(stale).toEqual([
        { ...fresh, ...STALE },
        { ...fresh, ...STALE },
      ]);
    },
  );

  it('of /plain says nothing by default', async () => {
    const { get } = await serve(adapter, { callContext: true });
    await get('plain');
    isUp = false;

    expect(await get('plain')).toMatchObject({ status: 200, ...FRESH });
  });

  it('that has begun goes on as it was', async () => {
    const { get } = await serve(adapter, { callContext: true, staleHeaders: true });
    await get('plain');
    isUp = false;

    const { text, ...stream } = await get('ticks');

    expect(stream).toMatchObject({ status: 200, ...FRESH });
    expect(text.match(/data: eur1/g)).toHaveLength(3);
  });

  it('that is an error says nothing', async () => {
    const { get } = await serve(adapter);

    expect(await get('failing')).toMatchObject({ status: 500, ...FRESH });
  });

  it('says nothing where the app does not want it', async () => {
    const { get } = await serve(adapter, { staleHeaders: false });
    await get('own/eur');
    isUp = false;

    expect(await get('own/eur')).toMatchObject({ status: 200, text: 'eur1', ...FRESH });
  });

  it('of the same controller is the same in an app without policies', async () => {
    await serve(adapter);
    const plain = await NestFactory.create(ShopModule, adapter(), { logger: false });
    onTestFinished(() => plain.close());
    await plain.listen(0, '127.0.0.1');

    expect(await fetched(`${await plain.getUrl()}/own/eur`)).toMatchObject({ status: 200, text: 'eur1', ...FRESH });
    expect(seen).toEqual([['eur', 'default']]);
  });
});

describe('the header of old answers', () => {
  it('says how old the answer is, in whole seconds', async () => {
    const clock = virtualClock();
    const { url } = await start(
      { imports: [ResilienceModule.forRoot({ log: false, ...POLICIES }), ShopModule] },
      { override: (builder) => builder.overrideProvider(RESILIENCE_CLOCK).useValue(clock) },
    );
    await fetched(`${url}/own/eur`);
    isUp = false;

    await clock.advance(41_500);

    expect(await fetched(`${url}/own/eur`)).toMatchObject({
      age: '42',
      cacheStatus: 'nestjs-bulwark; hit; ttl=-42; detail=stale',
    });
  });

  it('of what is called below needs to know the running call', async () => {
    const { adapter } = PLATFORMS[0] as Platform;

    await expect(serve(adapter, { staleHeaders: true })).rejects.toThrow(
      "'staleHeaders: true' need to know the running call",
    );
    await expect(serve(adapter, { staleHeaders: 'yes' as never })).rejects.toThrow("option 'staleHeaders'");
  });
});
