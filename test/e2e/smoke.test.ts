import { Controller, Get, Injectable, Module, UseInterceptors, Scope } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { Observable, of, lastValueFrom, throwError } from 'rxjs';
import { describe, expect, it } from 'vitest';
import {
  CircuitBreaker,
  Fallback,
  Recover,
  ResilienceModule,
  ResilienceService,
  Retry,
  Timeout,
  TimeoutInterceptor,
  Signal,
  Bulkhead,
  fixed,
  CircuitOpenException,
} from 'nestjs-bulwark';

let calls = 0;
@Injectable()
class Svc {
  @CircuitBreaker({ volumeThreshold: 2, resetTimeout: 60_000 })
  @Retry({ maxAttempts: 2, backoff: fixed(1) })
  @Fallback('cached')
  async get(id: string, opt?: number): Promise<string> {
    calls++;
    throw new Error('boom');
  }
  cached(id: string, opt: number | undefined, error: unknown): string {
    return `cached ${id} ${(error as Error).name}`;
  }
  @Timeout(50)
  async hang(@Signal() signal?: AbortSignal): Promise<never> {
    return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(new Error('late'))));
  }
  @Retry({ maxAttempts: 3, backoff: fixed(1) })
  stream(): Observable<number> {
    calls++;
    return calls < 3 ? throwError(() => new Error('x')) : of(1, 2, 3);
  }
  @Timeout(100)
  async *gen() {
    yield 1;
    yield 2;
  }
  @Recover() sync(): number {
    throw new Error('s');
  }
}
@Controller()
class Ctl {
  constructor(private readonly svc: Svc) {}
  @Get('a') a() {
    return this.svc.get('1');
  }
  @Get('b') @UseInterceptors(TimeoutInterceptor.with(50)) b() {
    return new Promise(() => {});
  }
  @Timeout(60) @Get('c') async c() {
    return new Promise(() => {});
  }
}
@Module({ imports: [ResilienceModule.forRoot({ exceptionFilter: true })], controllers: [Ctl], providers: [Svc] })
class App {}

describe('smoke', () => {
  it('works', async () => {
    const m = await Test.createTestingModule({ imports: [App] }).compile();
    const app = m.createNestApplication();
    await app.listen(0, '127.0.0.1');
    const url = await app.getUrl();
    const svc = app.get(Svc);
    expect(await svc.get('1')).toBe('cached 1 Error');
    expect(calls).toBe(2);
    expect(await svc.get('1')).toBe('cached 1 CircuitOpenException');
    expect(app.get(ResilienceService).circuitBreaker('Svc.get').state).toBe('open');
    await expect(svc.hang()).rejects.toMatchObject({ code: 'TIMEOUT' });
    calls = 0;
    expect(await lastValueFrom(svc.stream())).toBe(3);
    const items = [];
    for await (const i of svc.gen()) items.push(i);
    expect(items).toEqual([1, 2]);
    expect(svc.sync()).toBeUndefined();
    expect(await (await fetch(url + '/a')).text()).toBe('cached 1 CircuitOpenException');
    const b = await fetch(url + '/b');
    expect(b.status).toBe(504);
    expect(await b.json()).toEqual({ statusCode: 504, message: 'Gateway Timeout', errorCode: 'TIMEOUT' });
    expect((await fetch(url + '/c')).status).toBe(504);
    console.log(JSON.stringify(app.get(ResilienceService).plan(), null, 1).slice(0, 3000));
    await app.close();
  });
});
