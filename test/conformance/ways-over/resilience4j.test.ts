import { ConsoleLogger, Module, type Type } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { ResilienceModule, ResilienceService } from 'nestjs-bulwark';
import { expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { codeOf, fileOf, moduleOf, type RatesClient } from './pages.js';
import { tell, type Step } from './story.js';

// There is no Java here: what is before is read as the numbers that it says, and what is after is run.

const PAGE = 'from-resilience4j';

type Section = Record<'instances', Record<'rates', Record<string, string | number | boolean>>>;
type Sections = Record<'circuitbreaker' | 'retry' | 'timelimiter' | 'bulkhead' | 'ratelimiter', Section>;

/** A duration as Spring reads it, ms. */
function ms(duration: unknown): number {
  const [, number = '', unit = ''] = /^(\d+)(ms|s)$/.exec(String(duration)) ?? [];
  if (number === '') throw new Error(`no duration: ${String(duration)}`);
  return Number(number) * (unit === 's' ? 1_000 : 1);
}

async function started(app: Type): Promise<TestingModule> {
  const module = await Test.createTestingModule({ imports: [app] })
    .setLogger(new ConsoleLogger({ logLevels: [] }))
    .compile();
  await module.init();
  onTestFinished(() => module.close());
  return module;
}

/** What the plan says of the method `rate`. */
function policiesOf(module: TestingModule): Record<string, Record<string, unknown>> {
  const entry = module
    .get(ResilienceService)
    .plan()
    .find(({ methodName }) => methodName === 'rate');
  return Object.fromEntries((entry?.policies ?? []).map(({ policy, options }) => [policy, { ...options }]));
}

it('has in its plan the numbers of application.yml', async () => {
  const { resilience4j } = parse(await codeOf(PAGE, 'application.yml')) as { resilience4j: Sections };
  const [breaker, retry, limiter, bulkhead, rate] = (
    ['circuitbreaker', 'retry', 'timelimiter', 'bulkhead', 'ratelimiter'] as const
  ).map((section) => resilience4j[section].instances.rates);
  const { RatesModule } = await moduleOf(PAGE, 'after.ts');

  expect(policiesOf(await started(RatesModule as Type))).toMatchObject({
    circuitBreaker: {
      trip: `countWindow(${breaker?.['slidingWindowSize']}, ${breaker?.['failureRateThreshold']} %, from ${breaker?.['minimumNumberOfCalls']})`,
      resetTimeout: ms(breaker?.['waitDurationInOpenState']),
      halfOpenCalls: breaker?.['permittedNumberOfCallsInHalfOpenState'],
      halfOpenErrorThresholdPercentage: Number(breaker?.['failureRateThreshold']) - 1,
    },
    retry: {
      maxAttempts: retry?.['maxAttempts'],
      backoff: {
        kind: retry?.['enableExponentialBackoff'] === true ? 'exponential' : 'fixed',
        initial: ms(retry?.['waitDuration']),
        factor: retry?.['exponentialBackoffMultiplier'],
        jitter: 'none',
      },
    },
    timeout: { perAttempt: ms(limiter?.['timeoutDuration']) },
    bulkhead: { maxConcurrent: bulkhead?.['maxConcurrentCalls'] },
    rateLimit: { limit: rate?.['limitForPeriod'], per: ms(rate?.['limitRefreshPeriod']) },
  });
});

it('has the same plan where a file of rules says it', async () => {
  const { RatesModule, RatesClient } = await moduleOf(PAGE, 'after.ts');
  const file = await fileOf(PAGE, 'rules.yaml');
  @Module({
    imports: [ResilienceModule.forRoot({ policies: { rates: {} }, rules: { file } })],
    providers: [RatesClient as Type],
  })
  class RuledModule {}

  const ruled = policiesOf(await started(RuledModule));

  expect(ruled).toEqual(policiesOf(await started(RatesModule as Type)));
});

it('opens at five failures of ten, and again when two of four probes fail', async () => {
  const { RatesModule, RatesClient } = await moduleOf(PAGE, 'after.ts');
  const module = await started(RatesModule as Type);
  const breaker = module.get(ResilienceService).circuitBreaker('rates');
  const times = (count: number, upstream: Step['upstream'], after = 0): Step[] =>
    Array.from({ length: count }, (_, index) => ({ upstream, after: index === 0 ? after : 0 }));

  const story = await tell(module.get(RatesClient as Type<RatesClient>), () => breaker.state, [
    ...times(5, 'up'),
    ...times(2, 'down'),
    ...times(1, 'up'),
    // The open time is up to a tenth longer.
    ...times(2, 'up', 5_500),
    ...times(1, 'down'),
    ...times(1, 'up', 5_500),
    ...times(1, 'down'),
  ]);

  expect(story).toEqual([
    ...Array.from({ length: 5 }, () => 'up: 1.08, asked 1, closed'),
    'down: 1, asked 3, closed',
    'down: 1, asked 2, open',
    'up: 1, asked 0, open',
    'up: 1.08, asked 1, halfOpen',
    'up: 1.08, asked 1, halfOpen',
    'down: 1, asked 2, open',
    'up: 1.08, asked 1, halfOpen',
    'down: 1, asked 2, open',
  ]);
});
