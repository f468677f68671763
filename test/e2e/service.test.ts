import { Injectable } from '@nestjs/common';
import CircuitBreakerOfOpossum from 'opossum';
import {
  CircuitBreaker,
  CircuitOpenException,
  fixed,
  ResilienceConfigurationError,
  ResilienceModule,
  ResilienceService,
  type CallInfo,
  type PolicySet,
  type ResilienceModuleOptions,
} from 'nestjs-bulwark';
import { describe, expect, it } from 'vitest';
import { initialise, never, rejection } from './support/harness.js';

const options: ResilienceModuleOptions = {
  policies: {
    default: { retry: { maxAttempts: 2, backoff: fixed(0) } },
    rates: {
      timeout: 30,
      retry: { maxAttempts: 3, backoff: fixed(0) },
      circuitBreaker: { volumeThreshold: 1, resetTimeout: 60_000, errorFilter: (_: unknown, quiet: boolean) => quiet },
    },
  },
};

const fail = (): never => {
  throw new Error('down');
};

@Injectable()
class Payments {
  down = true;

  @CircuitBreaker('payments', { volumeThreshold: 2, resetTimeout: 60_000 })
  async charge(): Promise<string> {
    if (this.down) throw new Error('down');
    return 'charged';
  }

  @CircuitBreaker('tenants', { volumeThreshold: 1, key: (tenant: string) => tenant })
  async perTenant(_tenant: string): Promise<void> {
    if (this.down) throw new Error('down');
  }
}

async function service() {
  const { module } = await initialise({ imports: [ResilienceModule.forRoot(options)], providers: [Payments] });
  return { service: module.get(ResilienceService), payments: module.get(Payments) };
}

describe('execute', () => {
  it('gives the result of the work, when it succeeds', async () => {
    const { service: resilience } = await service();

    expect(await resilience.execute('rates', () => 1.1)).toBe(1.1);
    expect(await resilience.execute('rates', async () => 'later')).toBe('later');
  });

  it('runs the work under the named set, when the work fails', async () => {
    const { service: resilience } = await service();
    let attempts = 0;

    const error = await rejection(
      resilience.execute('rates', (): never => {
        attempts++;
        throw new Error('down');
      }),
    );

    // The breaker opens with the first failure, and refusals are not retried.
    expect(error).toBeInstanceOf(CircuitOpenException);
    expect(attempts).toBe(1);
    expect(resilience.circuitBreaker('rates').state).toBe('open');
  });

  it('passes the call to the work, when it asks for the attempt and the signal', async () => {
    const { service: resilience } = await service();
    const attempts: number[] = [];

    await rejection(
      resilience.execute({ timeout: 20, retry: { maxAttempts: 2, backoff: fixed(0) } }, ({ attempt, signal }) => {
        attempts.push(attempt);
        return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
      }),
    );

    expect(attempts).toEqual([1, 2]);
  });

  it('ends with the reason of the signal, when its caller gives up', async () => {
    const { service: resilience } = await service();
    const controller = new AbortController();
    const reason = new Error('the caller left');

    const ended = rejection(resilience.execute('rates', never, { signal: controller.signal }));
    controller.abort(reason);

    expect(await ended).toBe(reason);
  });

  it('does not begin, when the signal has been aborted already', async () => {
    const { service: resilience } = await service();
    let attempts = 0;

    const error = await rejection(
      resilience.execute('rates', () => ++attempts, { signal: AbortSignal.abort(new Error('too late')) }),
    );

    expect([error.message, attempts]).toEqual(['too late', 0]);
  });

  it('hands its arguments to predicates and handlers, when it is given some', async () => {
    const { service: resilience } = await service();
    const seen: CallInfo[] = [];

    await rejection(resilience.execute('rates', fail, { args: [true] }));
    const answer = await resilience.execute({ fallback: (_, call) => (seen.push(call), 'substitute') }, fail, {
      args: ['a', 1],
    });

    expect(resilience.circuitBreaker('rates').state).toBe('closed');
    expect(answer).toBe('substitute');
    expect(seen[0]?.args).toEqual(['a', 1]);
  });

  it('shares the instance of a name, when two sets of one name are written in place', async () => {
    const { service: resilience } = await service();
    const set = (): PolicySet => ({ name: 'shared', circuitBreaker: { volumeThreshold: 1 } });

    await rejection(resilience.execute(set(), fail));

    expect(await rejection(resilience.execute(set(), () => 1))).toBeInstanceOf(CircuitOpenException);
  });

  it.each<[string, PolicySet | string, RegExp]>([
    ['a nameless set with a breaker', { circuitBreaker: {} }, /circuitBreaker.*name/s],
    ['a nameless set with a bulkhead', { bulkhead: 2 }, /bulkhead.*name/s],
    ['an unknown name', 'unknown', /'unknown'.*rates/s],
    ['a wrong option', { timeout: -1 }, /timeout.*-1/s],
    ['an unknown key', { retries: 1 } as PolicySet, /retries/],
    ['null', null as never, /null/],
  ])('is rejected with what is wrong, when it gets %s', async (_, set, message) => {
    const { service: resilience } = await service();

    const error = await rejection(resilience.execute(set, () => 1));

    expect(error).toBeInstanceOf(ResilienceConfigurationError);
    expect(error.message).toMatch(message);
  });

  it('needs no name, when a set keeps no state or names its instances', async () => {
    const { service: resilience } = await service();

    expect(await resilience.execute({ timeout: 100, retry: 2 }, () => 1)).toBe(1);
    expect(await resilience.execute({ circuitBreaker: 'payments' }, () => 2)).toBe(2);
    expect(resilience.circuitBreaker('payments').stats.successes).toBe(1);
  });

  it('keeps no plan of it for ever, when the same set is written in place each time', async () => {
    const { service: resilience } = await service();

    for (let call = 0; call < 50; call++)
      await resilience.execute({ name: 'place', circuitBreaker: { volumeThreshold: 5 } }, () => call);

    expect(resilience.circuitBreaker('place').stats.successes).toBe(50);
  });
});

describe('the handle of a breaker', () => {
  it('is an opossum breaker inside, when a tool of opossum asks', async () => {
    const { service: resilience } = await service();
    const { breaker, name, stats } = resilience.circuitBreaker('payments');

    expect(breaker).toBeInstanceOf(CircuitBreakerOfOpossum);
    expect([breaker.name, breaker.group, name]).toEqual(['payments', 'payments', 'payments']);
    expect(stats).toMatchObject({ fires: 0, successes: 0, failures: 0, rejects: 0, timeouts: 0 });
    expect(breaker.toJSON()).toMatchObject({ state: { name: 'payments', closed: true, open: false } });
  });

  it('counts and tells the state, when calls fail and are refused', async () => {
    const { service: resilience, payments } = await service();
    const handle = resilience.circuitBreaker('payments');

    for (let call = 0; call < 3; call++) await rejection(payments.charge());

    expect(handle.state).toBe('open');
    expect(handle.stats).toMatchObject({ fires: 3, failures: 2, rejects: 1 });
    expect(handle.stats).toHaveProperty('percentiles');
  });

  it('refuses without end and without a time, when it is forced open', async () => {
    const { service: resilience, payments } = await service();
    const handle = resilience.circuitBreaker('payments');
    payments.down = false;

    handle.forceOpen('maintenance');
    const error = await rejection(payments.charge());

    expect(handle.state).toBe('forcedOpen');
    expect(error).toBeInstanceOf(CircuitOpenException);
    expect(error.retryAfterMs).toBeUndefined();
    expect(error.explanation).toContain('maintenance');
  });

  it.each(['forceClose', 'reset'] as const)('admits again with a clean window, when %s() is called', async (action) => {
    const { service: resilience, payments } = await service();
    const handle = resilience.circuitBreaker('payments');
    for (let call = 0; call < 3; call++) await rejection(payments.charge());
    payments.down = false;

    handle[action]();
    const answer = await payments.charge();

    expect(answer).toBe('charged');
    expect(handle.state).toBe('closed');
    expect(handle.stats).toMatchObject({ successes: 1, failures: 0 });
  });

  it('is not sticky, when forceClose() was called and calls fail again', async () => {
    const { service: resilience, payments } = await service();
    const handle = resilience.circuitBreaker('payments');

    handle.forceClose();
    for (let call = 0; call < 2; call++) await rejection(payments.charge());

    expect(handle.state).toBe('open');
  });

  it('judges nothing until it is enabled, when it is disabled', async () => {
    const { service: resilience, payments } = await service();
    const handle = resilience.circuitBreaker('payments');

    handle.disable();
    for (let call = 0; call < 5; call++) expect((await rejection(payments.charge())).message).toBe('down');
    expect(handle.state).toBe('disabled');

    handle.enable();
    expect([handle.state, handle.stats.failures]).toEqual(['closed', 0]);
    for (let call = 0; call < 2; call++) await rejection(payments.charge());
    expect(handle.state).toBe('open');
  });

  it('is one for each key, when the breaker has a key function', async () => {
    const { service: resilience, payments } = await service();

    await rejection(payments.perTenant('blue'));
    payments.down = false;
    await payments.perTenant('red');

    expect(resilience.circuitBreaker('tenants', 'blue')).toMatchObject({ name: 'tenants[blue]', state: 'open' });
    expect(resilience.circuitBreaker('tenants', 'red')).toMatchObject({ name: 'tenants[red]', state: 'closed' });
    expect(
      resilience
        .circuitBreakers()
        .map(({ name }) => name)
        .sort(),
    ).toEqual(['payments', 'tenants[blue]', 'tenants[red]']);
  });

  it('is there for a set that nobody has called yet, when policies define its breaker', async () => {
    const { service: resilience } = await service();

    expect(resilience.circuitBreaker('rates').state).toBe('closed');
  });

  it('is an error that names those there are, when the name is unknown', async () => {
    const { service: resilience } = await service();

    expect(() => resilience.circuitBreaker('paymens')).toThrow(/paymens.*payments/s);
  });
});
