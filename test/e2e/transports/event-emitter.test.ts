import { Injectable } from '@nestjs/common';
import { EventEmitter2, EventEmitterModule, OnEvent } from '@nestjs/event-emitter';
import {
  Bulkhead,
  CircuitBreaker,
  Fallback,
  fixed,
  ResilienceModule,
  ResilienceService,
  Retry,
  Signal,
  Timeout,
} from 'nestjs-bulwark';
import { describe, expect, it } from 'vitest';
import { initialise, rejection, until } from '../support/harness.js';
import { Work } from './support/work.js';

@Injectable()
class Handlers {
  constructor(private readonly work: Work) {}

  @Retry({ maxAttempts: 3, backoff: fixed(0) })
  @OnEvent('retried')
  async retried(): Promise<string> {
    return this.work.failTwice();
  }

  @OnEvent('hanging', { suppressErrors: false })
  @Timeout(20)
  async hanging(_event: unknown, @Signal() signal?: AbortSignal): Promise<never> {
    return this.work.hang(signal);
  }

  @CircuitBreaker('transports-open', { volumeThreshold: 1, resetTimeout: 60_000 })
  @OnEvent('open', { suppressErrors: false })
  async open(): Promise<never> {
    return this.work.fail();
  }

  @OnEvent('held', { suppressErrors: false })
  @Bulkhead(1)
  async held(): Promise<string> {
    return this.work.hold();
  }

  @Fallback('instead')
  @OnEvent('answered')
  async answered(_event: unknown): Promise<string> {
    return this.work.fail();
  }

  instead(): string {
    return 'a substitute';
  }

  @OnEvent('logged')
  @Timeout(20)
  async logged(): Promise<never> {
    return this.work.hang();
  }
}

async function open() {
  const { module, log } = await initialise({
    imports: [ResilienceModule.forRoot({ log: false }), EventEmitterModule.forRoot()],
    providers: [Work, Handlers],
  });
  const emitter = module.get(EventEmitter2);
  const emit = async (event: string): Promise<unknown> =>
    ((await emitter.emitAsync(event, { an: 'event' })) as unknown[])[0];
  return { module, log, emit, work: module.get(Work), service: module.get(ResilienceService) };
}

describe('a handler of @nestjs/event-emitter', () => {
  it('is called again, when it fails under @Retry()', async () => {
    const { emit, work } = await open();

    expect(await emit('retried')).toBe('third time');
    expect(work.attempts).toBe(3);
  });

  it('is cut, and whoever waits for it gets the error, when its time is over', async () => {
    const { emit, work } = await open();

    expect(await rejection(emit('hanging'))).toMatchObject({ code: 'TIMEOUT' });
    await work.wasCut();
  });

  it('is refused, when its breaker is open', async () => {
    const { emit, work, service } = await open();
    await rejection(emit('open'));

    expect(await rejection(emit('open'))).toMatchObject({ code: 'CIRCUIT_OPEN' });
    expect(work.attempts).toBe(1);
    expect(service.circuitBreaker('transports-open').state).toBe('open');
  });

  it('is refused, when its bulkhead is full', async () => {
    const { emit, work } = await open();
    const first = emit('held');
    await work.hasBegun();

    expect(await rejection(emit('held'))).toMatchObject({ code: 'BULKHEAD_FULL' });
    work.release();
    expect(await first).toBe('released');
  });

  it('is answered by its fallback, when it fails', async () => {
    const { emit } = await open();

    expect(await emit('answered')).toBe('a substitute');
  });

  it('is logged once, by the public message, when nobody is to hear of its error', async () => {
    const { module, log } = await open();

    module.get(EventEmitter2).emit('logged', {});

    const lines = () => log.lines.filter(({ level }) => level === 'error');
    await until(() => lines().length > 0, 'the line');
    expect(lines().map(({ text }) => text)).toEqual(['Gateway Timeout (TIMEOUT)']);
  });

  it('lets the app close, when it hangs', async () => {
    const { module, emit, work } = await open();
    void emit('held');
    await work.hasBegun();

    await module.close();

    expect(work.begun).toBe(1);
  });
});
