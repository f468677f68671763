import { applyDecorators, Injectable } from '@nestjs/common';
import {
  Bulkhead,
  CircuitBreaker,
  Coalesce,
  Fallback,
  fixed,
  Hedge,
  RateLimit,
  Recover,
  ResilienceModule,
  ResilienceService,
  Resilient,
  Retry,
  Signal,
  Timeout,
} from 'nestjs-bulwark';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { initialise } from '../e2e/support/harness.js';
import { ProcessFaults } from '../support/hostile.js';
import type { MethodGuard } from './scene.js';

const after = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const failAfter = async (ms: number): Promise<never> => {
  await after(ms);
  throw new Error('late');
};

const faults = new ProcessFaults();
beforeAll(() => faults.watch());
afterAll(() => faults.ignore());

async function scene(guards: readonly MethodGuard[], ms: number) {
  @Injectable()
  class Service {
    @applyDecorators(...guards)
    @Resilient({ returns: 'promise' })
    call(@Signal() _signal?: AbortSignal): Promise<unknown> {
      return failAfter(ms);
    }
  }
  const { module } = await initialise({
    imports: [ResilienceModule.forRoot({ callContext: true })],
    providers: [Service],
  });
  return { service: module.get(Service), resilience: module.get(ResilienceService) };
}

/** Each is a way in which the work ends after its caller has been answered, or beside it. */
const GUARDS: Readonly<Record<string, readonly MethodGuard[]>> = {
  'a time limit': [Timeout(5)],
  'a limit of all attempts': [Timeout({ total: 5 }), Retry({ maxAttempts: 3, backoff: fixed(1) })],
  'hedges that all fail': [Hedge({ after: 2, maxAttempts: 3 })],
  'hedges under a limit': [Hedge({ after: 2 }), Timeout({ total: 5 })],
  'a shared run': [Coalesce({ key: () => 'all' }), Timeout(5)],
  'a bulkhead whose slots are abandoned': [Bulkhead({ maxConcurrent: 1, maxQueue: 5, abandonAfter: 1 }), Timeout(5)],
  'a rate limit with a queue': [RateLimit({ limit: 1, per: 2, onLimit: 'queue', maxWait: 5 }), CircuitBreaker()],
  'a breaker that trips': [CircuitBreaker({ volumeThreshold: 1 }), Retry({ maxAttempts: 3, backoff: fixed(1) })],
  'a fallback that fails': [Fallback(() => failAfter(1)), Timeout(5)],
  'a recovery that fails': [Recover({ use: () => failAfter(1), log: false }), Timeout(5)],
  'nothing but a retry': [Retry({ maxAttempts: 2, backoff: fixed(1) })],
};

describe.each(Object.entries(GUARDS))('under %s', (_, guards) => {
  it.each<[string, (signal: AbortController) => AbortSignal | undefined]>([
    ['no signal', () => undefined],
    ['a signal', ({ signal }) => signal],
    [
      'a signal that aborts at once',
      (controller) => {
        setImmediate(() => controller.abort(new Error('cut')));
        return controller.signal;
      },
    ],
    ['a signal that has aborted', () => AbortSignal.abort(new Error('cut'))],
  ])('no promise but those of the callers is ever rejected unheard, with %s', async (_name, signalOf) => {
    const { service, resilience } = await scene(guards, 15);
    const controller = new AbortController();

    const calls = Array.from({ length: 3 }, () => service.call(signalOf(controller)));
    const fired = resilience.execute({ timeout: 5, retry: 2 }, () => failAfter(10), { signal: controller.signal });
    const outer = resilience.execute({ timeout: { total: 8 } }, () => service.call(signalOf(controller)));

    await Promise.allSettled([...calls, fired, outer]);
    await after(40);
    expect(await faults.take()).toEqual([]);
  });
});

describe('a caller that drops what it was given', () => {
  it('is told so by the process, once a call', async () => {
    const { service } = await scene([Bulkhead(5), CircuitBreaker(), Retry(1)], 1);
    const others = process.listeners('unhandledRejection');
    const told: unknown[] = [];
    process.removeAllListeners('unhandledRejection');
    process.on('unhandledRejection', (error) => told.push(error));

    void service.call();
    void service.call(new AbortController().signal);
    await after(20);
    process.removeAllListeners('unhandledRejection');
    for (const other of others) process.on('unhandledRejection', other);

    expect(told.map(String)).toEqual(['Error: late', 'Error: late']);
  });
});
