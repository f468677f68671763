import { Injectable } from '@nestjs/common';
import { Cron, CronExpression, Interval, ScheduleModule, SchedulerRegistry } from '@nestjs/schedule';
import {
  Bulkhead,
  BulkheadFullException,
  CircuitBreaker,
  Fallback,
  fixed,
  Recover,
  ResilienceModule,
  ResilienceService,
  Retry,
  Signal,
  Timeout,
  type ResilienceEvent,
} from 'nestjs-bulwark';
import { ResilienceMetricsModule } from 'nestjs-bulwark/metrics';
import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { initialise, until } from '../support/harness.js';
import { Work } from './support/work.js';

/** Far away: the tests let the jobs tick. */
const YEARLY = CronExpression.EVERY_YEAR;

@Injectable()
class Dependency {
  @Bulkhead(1)
  async call(work: Work): Promise<string> {
    return work.hold();
  }
}

@Injectable()
class Jobs {
  done: string[] = [];

  constructor(
    private readonly work: Work,
    private readonly dependency: Dependency,
  ) {}

  @Retry({ maxAttempts: 3, backoff: fixed(0) })
  @Cron(YEARLY, { name: 'retried' })
  async retried(): Promise<void> {
    this.done.push(this.work.failTwice());
  }

  @Cron(YEARLY, { name: 'hanging' })
  @Timeout(20)
  async hanging(_done?: unknown, @Signal() signal?: AbortSignal): Promise<void> {
    await this.work.hang(signal);
  }

  @CircuitBreaker({ volumeThreshold: 1, resetTimeout: 60_000 })
  @Cron(YEARLY, { name: 'open' })
  async open(): Promise<void> {
    await this.work.fail();
  }

  @Cron(YEARLY, { name: 'answered' })
  @Fallback('instead')
  async answered(): Promise<void> {
    await this.work.fail();
  }

  async instead(): Promise<void> {
    this.done.push('a substitute');
  }

  @Cron(YEARLY, { name: 'recovered' })
  @Recover()
  async recovered(): Promise<void> {
    await this.work.fail();
  }

  @Bulkhead(1)
  @Cron(YEARLY, { name: 'above' })
  async above(): Promise<void> {
    this.done.push(await this.work.hold());
  }

  @Cron(YEARLY, { name: 'below' })
  @Recover()
  @Bulkhead(1)
  async below(): Promise<void> {
    this.done.push(await this.work.hold());
  }

  @Cron(YEARLY, { name: 'deeper' })
  @Bulkhead(5)
  async deeper(): Promise<void> {
    this.done.push(await this.dependency.call(this.work));
  }
}

@Injectable()
class Often {
  running = 0;
  runs = 0;
  most = 0;

  @Interval(5)
  @Bulkhead(1)
  async tick(): Promise<void> {
    this.most = Math.max(this.most, ++this.running);
    this.runs++;
    await new Promise((resolve) => setTimeout(resolve, 20));
    this.running--;
  }
}

type Metadata = Parameters<typeof initialise>[0];

async function open(providers: Metadata['providers'] = [], imports: Metadata['imports'] = []) {
  const { module, log } = await initialise({
    imports: [ResilienceModule.forRoot(), ScheduleModule.forRoot(), ...imports],
    providers: [Work, Dependency, Jobs, ...providers],
  });
  const events: ResilienceEvent[] = [];
  const service = module.get(ResilienceService);
  service.events$.subscribe((event) => events.push(event));
  const registry = module.get(SchedulerRegistry);
  /** As the scheduler does: nobody waits for it, and it hears of no error. */
  const tick = (name: string): void => void registry.getCronJob(name).fireOnTick();
  const errors = () => log.lines.filter(({ level }) => ['error', 'warn', 'fatal'].includes(level));
  return { module, log, jobs: module.get(Jobs), work: module.get(Work), service, events, tick, errors };
}

describe('a scheduled job', () => {
  it('is called again, when it fails under @Retry()', async () => {
    const { jobs, tick, errors } = await open();

    tick('retried');

    await until(() => jobs.done.length > 0, 'the third run');
    expect(jobs.done).toEqual(['third time']);
    expect(errors()).toEqual([]);
  });

  it('is cut, when its time is over, and the scheduler logs why', async () => {
    const { work, tick, errors } = await open();

    tick('hanging');

    await work.wasCut();
    await until(() => errors().length > 0, 'the line');
    expect(errors().map(({ text }) => text)).toEqual([expect.stringContaining('Gateway Timeout (TIMEOUT)')]);
  });

  it('is refused, when its breaker is open, and the scheduler logs why', async () => {
    const { work, tick, errors, service } = await open();
    tick('open');
    await until(() => service.circuitBreaker('Jobs.open').state === 'open', 'the trip');

    tick('open');

    await until(() => errors().some(({ text }) => text.includes('CIRCUIT_OPEN')), 'the refusal');
    expect(work.attempts).toBe(1);
  });

  it('is answered by its fallback, when it fails', async () => {
    const { jobs, tick, errors } = await open();

    tick('answered');

    await until(() => jobs.done.length > 0, 'the substitute');
    expect(jobs.done).toEqual(['a substitute']);
    expect(errors()).toEqual([]);
  });

  it('is logged with its stack, when @Recover() catches it', async () => {
    const { tick, errors } = await open();

    tick('recovered');

    await until(() => errors().length > 0, 'the line');
    const [line] = errors();
    expect(line?.text).toContain('Jobs.recovered');
    expect(line?.rest.some((part) => String(part).includes('    at '))).toBe(true);
  });

  it.each(['above', 'below'])(
    'is skipped without noise, when it still runs and @Bulkhead(1) stands %s',
    async (name) => {
      const { jobs, work, tick, errors, events, module } = await open();
      tick(name);
      await work.hasBegun();

      tick(name);
      tick(name);

      await until(() => events.filter(({ type }) => type === 'refused').length === 2, 'the refusals');
      expect(await module.get(Jobs)[name as 'above']()).toBeUndefined();
      work.release();
      await until(() => jobs.done.length > 0, 'the end of the first run');
      expect(work.begun).toBe(1);
      expect(errors()).toEqual([]);
      expect(events.map(({ type }) => type)).not.toContain('recovered');
    },
  );

  it('counts as refused, when it is skipped', async () => {
    const registry = new Registry();
    const { module, work, tick } = await open([], [ResilienceMetricsModule.forRoot({ registry })]);
    tick('above');
    await work.hasBegun();

    await module.get(Jobs).above();

    const calls = (await registry.getSingleMetric('bulwark_calls_total')?.get())?.values ?? [];
    expect(calls.filter(({ value }) => value > 0).map(({ labels }) => labels)).toEqual([
      { name: 'Jobs.above', outcome: 'refused' },
    ]);
    work.release();
  });

  it('runs one at a time, when it takes longer than its interval', async () => {
    const { module, errors } = await open([Often]);
    const often = module.get(Often);

    await until(() => often.runs >= 4, 'four runs');

    expect(often.most).toBe(1);
    expect(errors()).toEqual([]);
  });

  it('fails, when a bulkhead that it meets deeper is full', async () => {
    const { module, work, tick, errors } = await open();
    const held = module.get(Dependency).call(work);
    await work.hasBegun();

    await expect(module.get(Jobs).deeper()).rejects.toThrow(BulkheadFullException);
    tick('deeper');

    await until(() => errors().length > 0, 'the line');
    expect(errors()[0]?.text).toContain('BULKHEAD_FULL');
    work.release();
    await held;
  });

  it('lets the app close, when it hangs', async () => {
    const { module, work, tick } = await open();
    tick('above');
    await work.hasBegun();

    await module.close();

    expect(work.begun).toBe(1);
  });
});
