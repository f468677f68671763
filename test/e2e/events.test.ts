import { Injectable } from '@nestjs/common';
import {
  Bulkhead,
  CircuitBreaker,
  Fallback,
  fixed,
  Recover,
  ResilienceModule,
  ResilienceService,
  Retry,
  Timeout,
  type ResilienceEvent,
} from 'nestjs-bulwark';
import { firstValueFrom, map, take, type Observer } from 'rxjs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { initialise, never, rejection } from './support/harness.js';

@Injectable()
class Shop {
  @CircuitBreaker('judged', {
    volumeThreshold: 2,
    resetTimeout: 60_000,
    errorFilter: (error: Error) => error.message === 'quiet',
  })
  async judged(message?: string): Promise<string> {
    if (message !== undefined) throw new Error(message);
    return 'fine';
  }

  @Timeout(20)
  async slow(): Promise<never> {
    return never();
  }

  @Timeout({ total: 25 })
  async slowInAll(): Promise<never> {
    return never();
  }

  @Retry({ maxAttempts: 3, backoff: fixed(1) })
  async retried(): Promise<never> {
    throw new Error('down');
  }

  @Retry({ maxAttempts: 3, backoff: fixed(10_000) })
  @Timeout({ total: 500 })
  async suppressed(): Promise<never> {
    throw new Error('down');
  }

  @Bulkhead('slots', { maxConcurrent: 1 })
  async crowded(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
  }

  @Fallback({ value: 'substitute' })
  async substituted(): Promise<string> {
    throw new Error('down');
  }

  @Recover({ value: 'recovered', log: false })
  async recovered(): Promise<string> {
    throw new Error('down');
  }
}

async function recorded() {
  const { module, log } = await initialise({ imports: [ResilienceModule.forRoot()], providers: [Shop] });
  const events: ResilienceEvent[] = [];
  const subscription = module.get(ResilienceService).events$.subscribe((event) => events.push(event));
  onTestFinished(() => subscription.unsubscribe());
  return { shop: module.get(Shop), service: module.get(ResilienceService), events, subscription, log };
}

describe('events$', () => {
  it('tells each outcome with its latency, when a breaker judges calls', async () => {
    const { shop, events } = await recorded();

    await shop.judged();
    await rejection(shop.judged('quiet'));
    await rejection(shop.judged('loud'));

    expect(events.filter(({ type }) => type !== 'stateChange')).toEqual([
      {
        type: 'success',
        name: 'judged',
        policy: 'circuitBreaker',
        at: expect.any(Number),
        latencyMs: expect.any(Number),
      },
      {
        type: 'ignored',
        name: 'judged',
        policy: 'circuitBreaker',
        at: expect.any(Number),
        reason: expect.any(String),
        error: expect.objectContaining({ message: 'quiet' }),
      },
      {
        type: 'failure',
        name: 'judged',
        policy: 'circuitBreaker',
        at: expect.any(Number),
        latencyMs: expect.any(Number),
        error: expect.objectContaining({ message: 'loud' }),
      },
    ]);
  });

  it('tells changes of state and refusals, when a breaker opens', async () => {
    const { shop, events } = await recorded();

    await rejection(shop.judged('loud'));
    await rejection(shop.judged('loud'));
    await rejection(shop.judged());

    const [change, refused] = events.filter(({ type }) => type === 'stateChange' || type === 'refused');
    expect(change).toMatchObject({
      type: 'stateChange',
      name: 'judged',
      policy: 'circuitBreaker',
      from: 'closed',
      to: 'open',
      reason: expect.stringMatching(/./),
    });
    expect(refused).toMatchObject({
      type: 'refused',
      name: 'judged',
      policy: 'circuitBreaker',
      code: 'CIRCUIT_OPEN',
      retryAfterMs: expect.any(Number),
    });
  });

  it('tells the moment in epoch ms, when something happens', async () => {
    const { shop, events } = await recorded();
    const before = Date.now();

    await shop.judged();

    // The wall clock and the monotonic one may differ by a rounding.
    expect(events[0]?.at).toBeGreaterThanOrEqual(before - 2);
    expect(events[0]?.at).toBeLessThanOrEqual(Date.now() + 2);
  });

  it('tells changes by hand with their reason, when an operator steers', async () => {
    const { service, events } = await recorded();
    const handle = service.circuitBreaker('judged');

    handle.forceOpen('maintenance');
    handle.forceClose();
    handle.disable();
    handle.enable();

    expect(events.map((event) => event.type === 'stateChange' && [event.from, event.to])).toEqual([
      ['closed', 'forcedOpen'],
      ['forcedOpen', 'closed'],
      ['closed', 'disabled'],
      ['disabled', 'closed'],
    ]);
    expect(events[0]).toMatchObject({ reason: 'maintenance' });
  });

  it.each([
    ['perAttempt', 'slow', 20],
    ['total', 'slowInAll', 25],
  ] as const)('tells the limit, when the %s timeout cuts a call', async (scope, method, limitMs) => {
    const { shop, events } = await recorded();

    await rejection(shop[method]());

    expect(events).toEqual([
      {
        type: 'timeout',
        name: `Shop.${method}`,
        policy: 'timeout',
        at: expect.any(Number),
        limitMs,
        scope,
        queued: false,
      },
    ]);
  });

  it('tells each new attempt, when a call is retried', async () => {
    const { shop, events } = await recorded();

    await rejection(shop.retried());

    const error = expect.objectContaining({ message: 'down' });
    const common = {
      type: 'retry',
      name: 'Shop.retried',
      policy: 'retry',
      at: expect.any(Number),
      maxAttempts: 3,
      error,
    };
    expect(events).toEqual([
      { ...common, attempt: 1, delayMs: 1 },
      { ...common, attempt: 2, delayMs: 1 },
      expect.objectContaining({ type: 'retrySuppressed', attempts: 3, reason: 'maxAttempts', error }),
    ]);
  });

  it('tells why there is no new attempt, when the wait would pass the deadline', async () => {
    const { shop, events } = await recorded();

    const error = await rejection(shop.suppressed());

    expect(error.message).toBe('down');
    expect(events).toMatchObject([
      { type: 'retrySuppressed', name: 'Shop.suppressed', policy: 'retry', reason: 'deadline' },
    ]);
  });

  it('tells the refusal, when a bulkhead is full', async () => {
    const { shop, events } = await recorded();

    await Promise.allSettled([shop.crowded(), shop.crowded()]);

    expect(events).toMatchObject([{ type: 'refused', name: 'slots', policy: 'bulkhead', code: 'BULKHEAD_FULL' }]);
  });

  it('tells the error that was answered, when Fallback or Recover answer', async () => {
    const { shop, events } = await recorded();

    await shop.substituted();
    await shop.recovered();

    const error = expect.objectContaining({ message: 'down' });
    expect(events).toMatchObject([
      { type: 'fallback', name: 'Shop.substituted', policy: 'fallback', error },
      { type: 'recovered', name: 'Shop.recovered', policy: 'recover', error },
    ]);
  });

  it('tells every subscriber and no one who has left, when there are several', async () => {
    const { shop, service, events, subscription } = await recorded();
    const others: ResilienceEvent[] = [];
    const other = service.events$.subscribe((event) => others.push(event));

    await shop.judged();
    subscription.unsubscribe();
    await shop.judged();
    other.unsubscribe();

    expect([events.length, others.length]).toEqual([1, 2]);
  });

  it.each<[string, Partial<Observer<ResilienceEvent>> | ((event: ResilienceEvent) => unknown)]>([
    [
      'throws',
      () => {
        throw new Error('a bad subscriber');
      },
    ],
    [
      'gives a promise that rejects',
      async () => {
        throw new Error('a bad subscriber');
      },
    ],
    [
      'is an observer that throws',
      {
        next: () => {
          throw new Error('a bad subscriber');
        },
      },
    ],
  ])('logs once a minute that a subscriber %s, which harms nobody', async (_, bad) => {
    const { shop, service, events, log } = await recorded();
    const later: ResilienceEvent[] = [];
    service.events$.subscribe(bad);
    service.events$.subscribe((event) => later.push(event));

    expect(await shop.judged()).toBe('fine');
    expect(await shop.judged()).toBe('fine');
    // rxjs would throw it on a timer, which ends the process.
    await new Promise((resolve) => setTimeout(resolve, 20));

    expect([events.length, later.length]).toEqual([2, 2]);
    expect(log.ofBulwark('error')).toEqual(['a subscriber of events$ failed: a bad subscriber']);
  });

  it('gives to operators what it gives to subscribers', async () => {
    const { shop, service } = await recorded();
    const types: string[] = [];
    const first = firstValueFrom(service.events$);
    service.events$
      .pipe(
        map(({ type }) => type),
        take(1),
      )
      .subscribe((type) => types.push(type));

    await shop.judged();
    await shop.judged();

    expect(types).toEqual(['success']);
    expect(await first).toMatchObject({ type: 'success' });
  });
});
