import { Controller, Injectable, Post, UseInterceptors } from '@nestjs/common';
import {
  currentCall,
  fixed,
  Hedge,
  Idempotent,
  ResilienceModule,
  Retry,
  RetryInterceptor,
  Timeout,
} from 'nestjs-bulwark';
import { beforeEach, describe, expect, it } from 'vitest';
import { initialise, PLATFORMS, start, type Platform } from './support/harness.js';

const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/;

let seen: (string | undefined)[] = [];
let wrong: () => unknown = () => '';

/** Notes the key as a client of a dependency would find it, some awaits below the method. */
async function ask(fails: boolean): Promise<void> {
  await Promise.resolve();
  seen.push(currentCall()?.idempotencyKey);
  if (fails) throw new Error('down');
}

@Injectable()
class Inner {
  @Retry({ maxAttempts: 2, backoff: fixed(0) })
  async ask(fails: boolean): Promise<void> {
    await ask(fails);
  }
}

@Injectable()
class Payments {
  constructor(private readonly inner: Inner) {}

  @Retry({ maxAttempts: 3, backoff: fixed(0) })
  @Idempotent()
  async charge(): Promise<void> {
    await ask(true);
  }

  @Retry({ maxAttempts: 2, backoff: fixed(0) })
  @Idempotent({ key: (order: string) => `order ${order}` })
  async byOrder(_order: string): Promise<void> {
    await this.inner.ask(true);
  }

  @Hedge({ after: 5, maxAttempts: 3 })
  @Idempotent()
  async hedged(): Promise<void> {
    await ask(false);
    if (seen.length < 3) await new Promise((resolve) => setTimeout(resolve, 60_000).unref());
  }

  @Retry({ maxAttempts: 2, backoff: fixed(0) })
  @Idempotent({ key: () => wrong() as string })
  async byWrongKey(): Promise<void> {
    await ask(seen.length === 0);
  }

  @Timeout(5_000)
  async plain(): Promise<void> {
    await ask(false);
  }
}

beforeEach(() => {
  seen = [];
});

const app = async () => {
  const imports = [ResilienceModule.forRoot({ callContext: true })];
  const { module, log } = await initialise({ imports, providers: [Inner, Payments] });
  return { payments: module.get(Payments), log };
};

describe('the key of an idempotent call', () => {
  it('is one for all attempts, and another for another call', async () => {
    const { payments } = await app();

    await payments.charge().catch(() => undefined);
    await payments.charge().catch(() => undefined);

    const [first, second] = [seen.slice(0, 3), seen.slice(3)];
    expect([first.length, second.length]).toEqual([3, 3]);
    expect([...new Set(seen)]).toEqual([first[0], second[0]]);
    expect(first[0]).toMatch(UUID);
    expect(first[0]).not.toBe(second[0]);
  });

  it('is what the function gives, also for the retries of methods below', async () => {
    const { payments } = await app();

    await payments.byOrder('7').catch(() => undefined);
    await payments.byOrder('8').catch(() => undefined);

    expect(seen).toEqual([...Array<string>(4).fill('order 7'), ...Array<string>(4).fill('order 8')]);
  });

  it('is one for all that run beside each other', async () => {
    const { payments } = await app();

    await payments.hedged();

    expect(seen).toHaveLength(3);
    expect(new Set(seen).size).toBe(1);
    expect(seen[0]).toMatch(UUID);
  });

  it('is there for no other call', async () => {
    const { payments } = await app();

    await payments.plain();

    expect(seen).toEqual([undefined]);
  });

  it.each<[string, () => unknown, string]>([
    [
      'throws',
      () => {
        throw new Error('no order');
      },
      'no order',
    ],
    ['gives nothing', () => '', "got ''"],
    ['gives a number', () => 7, 'got 7'],
    ['is async', () => Promise.resolve('7'), 'promise'],
    ['rejects', () => Promise.reject(new Error('late')), 'promise'],
    ['gives what would split a header', () => 'a\r\nX-Admin: 1', 'printable ASCII'],
    ['gives what no header can hold', () => 'Größe', 'printable ASCII'],
    ['gives spaces at its ends', () => ' 7 ', 'printable ASCII'],
    ['gives more than a server would take', () => 'x'.repeat(256), '255'],
  ])('is a random one, and the log says why, where the function %s', async (_, key, said) => {
    wrong = key;
    const { payments, log } = await app();

    await payments.byWrongKey();
    await payments.plain();

    expect(seen.slice(0, 2)).toEqual([seen[0], seen[0]]);
    expect(seen[0]).toMatch(UUID);
    const [line, ...more] = log.ofBulwark('error');
    expect(line).toContain('Payments.byWrongKey, @Idempotent key failed');
    expect(line).toContain(said);
    expect(more).toEqual([]);
  });

  it.each(['7', 'a b', 'x'.repeat(255), '{"order":7}'])('may be %j', async (key) => {
    wrong = () => key;
    const { payments } = await app();

    await payments.byWrongKey();

    expect(seen).toEqual([key, key]);
  });
});

@Controller()
@UseInterceptors(RetryInterceptor.with({ maxAttempts: 2, backoff: fixed(0) }))
class Orders {
  @Post('bare')
  @Idempotent()
  async bare(): Promise<void> {
    await ask(true);
  }

  @Post('guarded')
  @Idempotent()
  @Timeout(5_000)
  async guarded(): Promise<void> {
    await ask(true);
  }
}

describe.each(PLATFORMS)('the key of a handler that an interceptor repeats on $platform', ({ adapter }: Platform) => {
  it.each(['bare', 'guarded'])('is one for all attempts, and another for another request: %s', async (path) => {
    const imports = [ResilienceModule.forRoot({ callContext: true })];
    const { url } = await start({ imports, controllers: [Orders] }, { adapter });

    for (let request = 0; request < 2; request++) await fetch(`${url}/${path}`, { method: 'POST' });

    expect(seen).toHaveLength(4);
    expect([seen[0] === seen[1], seen[1] === seen[2], seen[2] === seen[3]]).toEqual([true, false, true]);
    expect(seen[0]).toMatch(UUID);
  });
});
