import { Injectable, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { CircuitBreaker, ResilienceConfigurationError, ResilienceModule, Resilient, Timeout } from 'nestjs-bulwark';
import { hang, ResilienceTesting } from 'nestjs-bulwark/testing';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { thrownBy, track } from '../../support/settle.js';

@Injectable()
class Payments {
  @CircuitBreaker('payments', { resetTimeout: 5_000 })
  async charge(): Promise<string> {
    return 'real';
  }

  plain(): void {}

  @CircuitBreaker('kept', { enabled: false })
  async kept(): Promise<void> {}
}

@Injectable()
@Resilient({ timeout: 1_000 })
class Covered {
  async load(): Promise<void> {}

  onModuleInit(): void {}
}

class Stranger {
  @Timeout(1_000)
  async load(): Promise<void> {}
}

@Module({})
class Empty {}

const compile = async () => {
  const module = await Test.createTestingModule({
    imports: [ResilienceModule.forRoot({ log: false })],
    providers: [Payments, Covered],
  }).compile();
  onTestFinished(() => module.close());
  return module;
};

const setUp = async () => {
  const module = await compile();
  await module.init();
  return { module, payments: module.get(Payments), testing: ResilienceTesting.for(module) };
};

const messageOf = (run: () => unknown): string => {
  const error = thrownBy(run);
  expect(error).toBeInstanceOf(ResilienceConfigurationError);
  return error.message;
};

afterEach(() => {
  vi.unstubAllEnvs();
});

type Any = never;

describe('a mistake names the class, the method, the value and what was expected', () => {
  it.each<[string, (testing: ResilienceTesting) => unknown, string]>([
    [
      'an unknown class',
      (testing) => testing.script(Stranger, 'load', []),
      'ResilienceTesting.script: Stranger is no class with guarded methods of this app; expected one of: Covered, Payments',
    ],
    [
      'no class',
      (testing) => testing.script('Payments' as Any, 'charge' as Any, []),
      "ResilienceTesting.script: expected a class, got 'Payments'",
    ],
    [
      'an unknown method',
      (testing) => testing.script(Payments, 'chrage' as Any, []),
      "ResilienceTesting.script: Payments has no method 'chrage'; expected one that is guarded: charge, kept",
    ],
    [
      'a method that nothing guards',
      (testing) => testing.plan(Payments, 'plain'),
      'ResilienceTesting.plan: Payments.plain is not guarded: no decorator or interceptor of ours applies to it; expected one of: charge, kept',
    ],
    [
      'a method that its class leaves out',
      (testing) => testing.plan(Covered, 'onModuleInit'),
      'ResilienceTesting.plan: Covered.onModuleInit is not guarded (a lifecycle hook): no decorator or interceptor of ours applies to it; expected one of: load',
    ],
    [
      'no list of outcomes',
      (testing) => testing.script(Payments, 'charge', 'real' as Any),
      "ResilienceTesting.script: expected a list of outcomes, got 'real'",
    ],
    [
      'an unknown breaker',
      (testing) => testing.force('paymets', 'open'),
      "ResilienceTesting.force: no circuit breaker 'paymets'; expected one of: ",
    ],
    [
      'an unknown state',
      (testing) => testing.force('payments', 'opened' as Any),
      "ResilienceTesting.force: the state: expected one of 'closed', 'open', 'halfOpen', 'forcedOpen', 'disabled', got 'opened'",
    ],
    [
      'an unknown target of a fault',
      (testing) => testing.inject({ target: 'Payments.chrage', hang: true }),
      "ResilienceTesting.inject: option 'target': nothing goes by the name 'Payments.chrage'; expected one of: Covered.load, Payments.charge",
    ],
    [
      'a method in a target',
      (testing) => testing.inject({ target: [Payments, 'plain'], hang: true }),
      'ResilienceTesting.inject: Payments.plain is not guarded',
    ],
    [
      'no target',
      (testing) => testing.inject({ hang: true } as Any),
      "ResilienceTesting.inject: option 'target': expected a class, a method of one, or a name, got undefined",
    ],
    [
      'a fault that does nothing',
      (testing) => testing.inject({ target: Payments }),
      'ResilienceTesting.inject: expected at least one of latency, error and hang, got none',
    ],
    [
      'a fault that ends twice',
      (testing) => testing.inject({ target: Payments, error: new Error('down'), hang: true }),
      'ResilienceTesting.inject: expected one of error and hang, got both',
    ],
    [
      'a rate above 1',
      (testing) => testing.inject({ target: Payments, hang: true, rate: 20 }),
      "ResilienceTesting.inject: option 'rate': expected a number from 0 to 1, got 20",
    ],
    [
      'a latency that is none',
      (testing) => testing.inject({ target: Payments, latency: [20, 10] }),
      "ResilienceTesting.inject: option 'latency': expected a number of milliseconds from 0 to 2147483647, or two of them, the lower one first, got [20,10]",
    ],
    [
      'a seed that is none',
      (testing) => testing.inject({ target: Payments, hang: true, seed: 0.5 }),
      "ResilienceTesting.inject: option 'seed': expected a whole number, got 0.5",
    ],
    [
      'an unknown option',
      (testing) => testing.inject({ target: Payments, hang: true, chance: 1 } as Any),
      "ResilienceTesting.inject: unknown option 'chance'",
    ],
  ])('%s', async (_title, run, expected) => {
    const { testing } = await setUp();

    expect(messageOf(() => run(testing))).toContain(expected);
  });

  it('an app that is none, or has no module of ours, and an unknown option', async () => {
    const without = await Test.createTestingModule({ imports: [Empty] }).compile();
    const module = await compile();

    expect(messageOf(() => ResilienceTesting.for(undefined as Any))).toBe(
      'ResilienceTesting.for: expected a Nest app or a compiled testing module, got undefined',
    );
    expect(messageOf(() => ResilienceTesting.for(without))).toContain('the app has no ResilienceModule; expected');
    expect(messageOf(() => ResilienceTesting.for(module, { production: true } as Any))).toContain(
      "unknown option 'production'",
    );
  });
});

describe('before init()', () => {
  it('what decorators say is known', async () => {
    const module = await compile();
    const testing = ResilienceTesting.for(module);
    testing.script(Payments, 'charge', ['scripted']);
    testing.inject({ target: 'Covered.load', hang: true });

    expect(await module.get(Payments).charge()).toBe('scripted');
    expect(testing.plan(Payments, 'charge').policies.map(({ policy }) => policy)).toEqual([
      'circuitBreaker',
      'timeout',
    ]);
  });
});

describe('the end of the app', () => {
  it('ends what hangs, and nothing can be done to it any more', async () => {
    const { module, payments, testing } = await setUp();
    testing.script(Payments, 'charge', [hang()]);
    const hanging = track(payments.charge());

    await module.close();

    await expect.poll(() => hanging.status).toBe('rejected');
    expect(messageOf(() => testing.off())).toBe(
      'ResilienceTesting.off: the app has been closed; expected one that runs',
    );
  });
});

describe('in production', () => {
  it.each([
    [
      false,
      undefined,
      'the option { inProduction: true } and the environment variable BULWARK_TESTING_IN_PRODUCTION=1',
    ],
    [true, undefined, 'expected the environment variable BULWARK_TESTING_IN_PRODUCTION=1 too'],
    [true, 'true', 'expected the environment variable BULWARK_TESTING_IN_PRODUCTION=1 too'],
    [false, '1', 'expected the option { inProduction: true } too'],
  ])('it refuses, unless told twice (%s, %s)', async (inProduction, variable, expected) => {
    const module = await compile();
    vi.stubEnv('NODE_ENV', 'production');
    vi.stubEnv('BULWARK_TESTING_IN_PRODUCTION', variable);

    expect(messageOf(() => ResilienceTesting.for(module, { inProduction }))).toContain(expected);
  });

  it('it works when told twice, and refuses faults where it was made before', async () => {
    const { module, testing } = await setUp();
    vi.stubEnv('NODE_ENV', 'production');
    vi.stubEnv('BULWARK_TESTING_IN_PRODUCTION', '1');

    const told = ResilienceTesting.for(module, { inProduction: true });

    expect(told.inject({ target: Payments, hang: true }).hits).toBe(0);
    expect(messageOf(() => testing.inject({ target: Payments, hang: true }))).toContain("NODE_ENV is 'production'");
  });
});
