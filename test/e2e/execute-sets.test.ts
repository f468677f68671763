import { createHook } from 'node:async_hooks';
import {
  CircuitBreaker,
  exponential,
  fixed,
  ResilienceModule,
  ResilienceService,
  type PolicySet,
} from 'nestjs-bulwark';
import { describe, expect, it } from 'vitest';
import { initialise, rejection } from './support/harness.js';

async function app() {
  const { module, log } = await initialise({ imports: [ResilienceModule.forRoot()] });
  return { service: module.get(ResilienceService), log };
}

/** How many timers are alive after `work`. */
async function timersOf(work: () => Promise<unknown>): Promise<number> {
  const live = new Set<number>();
  const hook = createHook({
    init: (id, type) => void (type === 'Timeout' && live.add(id)),
    destroy: (id) => void live.delete(id),
  }).enable();
  await work();
  await new Promise(setImmediate);
  hook.disable();
  return live.size;
}

describe('a set that is written at the call of execute()', () => {
  it.each<[string, (call: number) => PolicySet]>([
    ['alike', () => ({ timeout: 10_000, retry: { backoff: exponential({ initial: 5 }) } })],
    ['with a closure', () => ({ timeout: 10_000, fallback: () => 1 })],
    ['with a name', () => ({ name: 'x', timeout: 10_000, fallback: () => 1 })],
    ['with a limit of its own', (call) => ({ timeout: 10_000 + call })],
  ])('leaves no timer behind for each call, %s', async (_, set) => {
    const { service } = await app();

    const timers = await timersOf(async () => {
      for (let call = 0; call < 2_000; call++) await service.execute(set(call), async () => 1);
    });

    expect(timers).toBeLessThan(300);
  });

  it.each<[string, () => PolicySet]>([
    ['alike', () => ({ retry: { maxAttempts: 3, backoff: fixed(0) } })],
    ['with closures', () => ({ retry: { maxAttempts: 3, backoff: fixed(0), retryOn: () => true } })],
  ])('retries within one budget, %s', async (_, set) => {
    const { service } = await app();
    let calls = 0;
    for (let i = 0; i < 200; i++)
      await rejection(
        service.execute(set(), () => {
          calls++;
          throw new Error('down');
        }),
      );

    expect(calls).toBeLessThan(300);
  });

  it.each([undefined, null, 5, {}])('refuses %j in place of its work', async (work) => {
    const { service } = await app();

    const error = await rejection(service.execute({ timeout: 20 }, work as () => string));

    expect(error).toMatchObject({ message: expect.stringContaining('expected a function to run') });
  });

  it('refuses options that cannot be read, and says where', async () => {
    const { service } = await app();
    const unreadable = new Proxy(
      {},
      {
        ownKeys: () => {
          throw new Error('sealed');
        },
      },
    );

    const error = await rejection(service.execute({ retry: unreadable }, () => 'fine'));

    expect(error).toMatchObject({ message: expect.stringContaining('cannot be read') });
  });

  it('tells a number from one of another type', async () => {
    const { service } = await app();
    await service.execute({ timeout: 5_000 }, () => 'fine');

    const error = await rejection(service.execute({ timeout: 5_000n } as unknown as PolicySet, () => 'fine'));

    expect(error).toMatchObject({ message: expect.stringContaining('got 5000n') });
  });

  it.each([
    [
      'a getter of a class',
      new (class Settings {
        get timeout() {
          return 20;
        }
      })(),
    ],
    ['a prototype', Object.create({ timeout: 20 }) as PolicySet],
    ['a prototype, deeper', { retry: Object.create({ maxAttempts: 2 }) as object }],
  ])('refuses options that stand in %s, where they would be passed over', async (_, set) => {
    const { service } = await app();

    const error = await rejection(service.execute(set, () => 'fine'));

    expect(error).toMatchObject({ message: expect.stringMatching(/option '(timeout|maxAttempts)' is inherited/) });
  });

  it('hands out its own value, when a fallback of an equal set has one too', async () => {
    const { service } = await app();
    const answer = () =>
      service.execute({ fallback: { value: [] as number[] } }, (): number[] => {
        throw new Error('down');
      });

    (await answer()).push(1);

    expect(await answer()).toEqual([]);
  });

  it('keeps a bounded number of names, idle ones going first, and says so once', async () => {
    const { service, log } = await app();
    const run = (name: string, work: () => unknown) =>
      service.execute({ name, circuitBreaker: { volumeThreshold: 1 } }, work).catch(() => undefined);
    await run('down', () => Promise.reject(new Error('down')));
    for (let i = 0; i < 3_000; i++) await run(`tenant-${i}`, () => 1);

    const names = service.circuitBreakers().map(({ name }) => name);

    expect(names.length).toBeLessThanOrEqual(1_001);
    expect(names).toContain('down');
    expect(names).toContain('tenant-2999');
    expect(log.ofBulwark('warn').filter((line) => line.includes('execute()'))).toHaveLength(1);
  });

  it('never forgets a name that a method has', async () => {
    class Client {
      @CircuitBreaker('shared', { volumeThreshold: 7 })
      async call(): Promise<void> {}
    }
    const { module } = await initialise({ imports: [ResilienceModule.forRoot()], providers: [Client] });
    const service = module.get(ResilienceService);
    const { breaker } = service.circuitBreaker('shared');
    await service.execute({ name: 'shared', circuitBreaker: { volumeThreshold: 7 } }, () => 1);
    for (let i = 0; i < 1_500; i++) await service.execute({ name: `n${i}`, circuitBreaker: {} }, () => 1);

    expect(service.circuitBreaker('shared').breaker).toBe(breaker);
  });
});
