import { Injectable } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import {
  CircuitBreaker,
  CircuitOpenException,
  Fallback,
  fixed,
  RESILIENCE_CLOCK,
  RESILIENCE_RANDOM,
  ResilienceModule,
  ResilienceService,
  Retry,
  Timeout,
  TimeoutException,
} from 'nestjs-bulwark';
import { after, hang, real, ResilienceTesting, returns, throws, virtualClock } from 'nestjs-bulwark/testing';
import { firstValueFrom, Observable, of, toArray } from 'rxjs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { errorOf, track } from '../../support/settle.js';

interface Receipt {
  readonly id: string;
}

@Injectable()
class Payments {
  real = 0;

  @Retry({ maxAttempts: 3, backoff: fixed(100) })
  @Timeout(1_000)
  @CircuitBreaker('payments', { volumeThreshold: 10, resetTimeout: 30_000 })
  async charge(order: string): Promise<Receipt> {
    this.real++;
    return { id: `real ${order}` };
  }

  @Timeout(1_000)
  rates(): Observable<number> {
    return of(1, 2);
  }

  @Timeout(1_000)
  async *pages(): AsyncGenerator<string> {
    yield 'real';
  }

  @Fallback({ value: 'unknown' })
  label(): string {
    return 'real';
  }

  @Fallback({ value: { id: 'none' } })
  async refund(): Promise<Receipt> {
    throw new Error('no refunds');
  }

  @Timeout(1_000)
  undeclared() {
    return Promise.resolve('real');
  }

  bare(): string {
    return 'bare';
  }
}

@Injectable()
class SafePayments extends Payments {}

const setUp = async () => {
  const clock = virtualClock();
  const module: TestingModule = await Test.createTestingModule({
    imports: [ResilienceModule.forRoot({ log: false, policies: { default: { retry: { budget: false } } } })],
    providers: [Payments, SafePayments],
  })
    .overrideProvider(RESILIENCE_CLOCK)
    .useValue(clock)
    .overrideProvider(RESILIENCE_RANDOM)
    .useValue(() => 0)
    .compile();
  await module.init();
  onTestFinished(() => module.close());
  return {
    clock,
    module,
    payments: module.get(Payments),
    safe: module.get(SafePayments),
    testing: ResilienceTesting.for(module),
    service: module.get(ResilienceService),
  };
};

describe('a script', () => {
  it('gives its outcomes in their order, one to each attempt, and then calls the method', async () => {
    const { clock, payments, testing } = await setUp();
    const script = testing.script(Payments, 'charge', [new Error('down'), { id: 'r-1' }]);

    const first = track(payments.charge('a'));
    await clock.advance(100);
    const second = await payments.charge('b');

    expect(first.outcome).toEqual({ id: 'r-1' });
    expect(second).toEqual({ id: 'real b' });
    expect(script.calls).toEqual([['a'], ['a']]);
    expect([script.left, payments.real]).toEqual([0, 1]);
  });

  it('hangs until a time limit cuts the attempt', async () => {
    const { clock, payments, testing } = await setUp();
    testing.script(Payments, 'charge', [hang(), hang(), hang()]);

    const call = track(payments.charge('a'));
    await clock.advance(3_199);
    expect(call.status).toBe('pending');
    await clock.advance(1);

    expect(call.outcome).toBeInstanceOf(TimeoutException);
  });

  it('takes its time, asks functions, and says whatever a value may mean otherwise', async () => {
    const { clock, payments, testing } = await setUp();
    const error = new Error('as a value');
    testing.script(Payments, 'charge', [
      after(500, { id: 'slow' }),
      (order: string) => ({ id: `asked for ${order}` }),
      returns(error),
      real(),
      throws('no error'),
      throws('no error'),
      throws('no error'),
    ]);

    const slow = track(payments.charge('a'));
    await clock.advance(499);
    expect(slow.status).toBe('pending');
    await clock.advance(1);

    expect(slow.outcome).toEqual({ id: 'slow' });
    expect(await payments.charge('b')).toEqual({ id: 'asked for b' });
    expect(await payments.charge('c')).toBe(error);
    expect(await payments.charge('d')).toEqual({ id: 'real d' });
    const thrown = track(payments.charge('e'));
    await clock.advance(200);
    expect(thrown.outcome).toBe('no error');
  });

  it('is an Observable, an async iterable or a plain value where the method is', async () => {
    const { payments, testing } = await setUp();
    testing.script(Payments, 'rates', [7, of(8, 9), new Error('down')]);
    testing.script(Payments, 'pages', ['scripted']);
    testing.script(Payments, 'label', ['scripted', new Error('down')]);

    const pages: string[] = [];
    for await (const page of payments.pages()) pages.push(page);

    expect(await firstValueFrom(payments.rates().pipe(toArray()))).toEqual([7]);
    expect(await firstValueFrom(payments.rates().pipe(toArray()))).toEqual([8, 9]);
    expect((await errorOf(firstValueFrom(payments.rates()))).message).toBe('down');
    expect(await firstValueFrom(payments.rates().pipe(toArray()))).toEqual([1, 2]);
    expect(pages).toEqual(['scripted']);
    expect([payments.label(), payments.label(), payments.label()]).toEqual(['scripted', 'unknown', 'real']);
  });

  it('answers for a method of which nobody knows what it gives, and the retry of it, too', async () => {
    const { payments, testing } = await setUp();
    testing.script(Payments, 'undeclared', ['scripted', Promise.resolve('too') as never]);

    expect([await payments.undeclared(), await payments.undeclared(), await payments.undeclared()]).toEqual([
      'scripted',
      'too',
      'real',
    ]);
  });

  it('of a base class speaks for the classes derived from it, and the newest of a method is in force', async () => {
    const { payments, safe, testing } = await setUp();
    const old = testing.script(Payments, 'charge', [{ id: 'old' }]);
    testing.script(Payments, 'charge', [{ id: 'one' }, { id: 'two' }]);
    testing.script(SafePayments, 'refund', [{ id: 'safe' }]);

    expect([await safe.charge('a'), await payments.charge('b')]).toEqual([{ id: 'one' }, { id: 'two' }]);
    expect([await payments.refund(), await safe.refund()]).toEqual([{ id: 'none' }, { id: 'safe' }]);
    expect(old.left).toBe(1);
  });
});

describe('reset()', () => {
  it('takes out scripts, ends what hangs, and closes breakers whose handles stay good', async () => {
    const { payments, testing, service } = await setUp();
    const handle = service.circuitBreaker('payments');
    testing.script(Payments, 'charge', [{ id: 'never' }]);
    testing.script(Payments, 'refund', [hang()]);
    const hanging = track(payments.refund());
    testing.force('payments', 'forcedOpen');

    testing.reset();

    expect(handle.state).toBe('closed');
    expect(service.circuitBreaker('payments').state).toBe('closed');
    expect(await payments.charge('a')).toEqual({ id: 'real a' });
    await expect.poll(() => hanging.outcome).toEqual({ id: 'none' });
    expect(handle.stats.successes).toBe(1);
  });
});

describe('off()', () => {
  it('lets calls reach the methods alone, until reset()', async () => {
    const { payments, testing } = await setUp();
    testing.force('payments', 'forcedOpen');

    testing.off();

    expect(await payments.charge('a')).toEqual({ id: 'real a' });
    expect((await errorOf(payments.refund())).message).toBe('no refunds');
    expect(testing.plan(Payments, 'charge').policies).toEqual([]);
    testing.script(Payments, 'charge', [new Error('once')]);
    expect((await errorOf(payments.charge('a'))).message).toBe('once');

    testing.reset();

    expect(await payments.refund()).toEqual({ id: 'none' });
    expect(testing.plan(Payments, 'charge').policies).toHaveLength(3);
  });
});

describe('force()', () => {
  it.each(['closed', 'open', 'halfOpen', 'forcedOpen', 'disabled'] as const)('%s', async (state) => {
    const { testing, service } = await setUp();

    const handle = testing.force('payments', state);

    expect(handle.state).toBe(state);
    expect(service.circuitBreaker('payments').state).toBe(state);
  });

  it('goes from any state to any other', async () => {
    const { testing } = await setUp();
    const states = ['closed', 'open', 'halfOpen', 'forcedOpen', 'disabled'] as const;

    for (const from of states)
      for (const to of states) {
        testing.force('payments', from);
        expect(testing.force('payments', to).state).toBe(to);
      }
  });

  it('open is half-open when the reset time is over', async () => {
    const { clock, payments, testing, service } = await setUp();
    testing.force('payments', 'open');

    expect(await errorOf(payments.charge('a'))).toBeInstanceOf(CircuitOpenException);
    await clock.advance(30_000);

    expect(service.circuitBreaker('payments').state).toBe('halfOpen');
    expect(await payments.charge('b')).toEqual({ id: 'real b' });
    expect(service.circuitBreaker('payments').state).toBe('closed');
  });
});

describe('plan()', () => {
  it('shows the policies in their order with their options', async () => {
    const { testing } = await setUp();

    const { policies } = testing.plan(Payments, 'charge');

    expect(policies.map(({ policy }) => policy)).toEqual(['retry', 'circuitBreaker', 'timeout']);
    expect(policies[1]).toMatchObject({ name: 'payments', options: { resetTimeout: 30_000 } });
  });
});
