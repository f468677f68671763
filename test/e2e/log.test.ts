import { Injectable } from '@nestjs/common';
import {
  Bulkhead,
  CircuitBreaker,
  consecutiveFailures,
  fixed,
  Recover,
  ResilienceModule,
  ResilienceService,
  Retry,
  type ResilienceModuleOptions,
} from 'nestjs-bulwark';
import { describe, expect, it } from 'vitest';
import { initialise, rejection, startUpError } from './support/harness.js';

@Injectable()
class Jobs {
  ends: (() => void)[] = [];

  @CircuitBreaker('payments', { trip: consecutiveFailures(2), timeout: 20 })
  async pay(fails: boolean): Promise<void> {
    if (fails) throw new Error('down');
  }

  @CircuitBreaker({ timeout: 15 })
  async slow(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }

  @Retry({ maxAttempts: 3, backoff: fixed(0) })
  async load(): Promise<void> {
    throw new Error('no route');
  }

  @Recover()
  @Bulkhead(1)
  async run(): Promise<void> {
    await new Promise<void>((resolve) => this.ends.push(resolve));
  }
}

async function app(options: ResilienceModuleOptions = {}) {
  const { module, log } = await initialise({ imports: [ResilienceModule.forRoot(options)], providers: [Jobs] });
  const all = (): string[] => ['log', 'warn', 'error'].flatMap((level) => log.ofBulwark(level));
  return { module, log, all, jobs: module.get(Jobs), resilience: module.get(ResilienceService) };
}

describe('forRoot({ log })', () => {
  it('tells by default what changes: states, attempts that ran out, time limits of breakers, rules', async () => {
    const { jobs, log, resilience } = await app();

    await jobs.pay(false);
    for (let one = 0; one < 2; one++) await rejection(jobs.pay(true));
    resilience.circuitBreaker('payments').reset();
    await rejection(jobs.load());
    await rejection(jobs.slow());
    resilience.rules.apply({ policies: { payments: { circuitBreaker: { volumeThreshold: 5 } } } }, { by: 'ann' });

    const warnings = log.ofBulwark('warn');
    expect(warnings).toHaveLength(3);
    expect(warnings[0]).toMatch(/^payments: circuit breaker is open .*: 2 .*/);
    expect(warnings[1]).toMatch(/^Jobs\.load: not tried again after 3 attempts: .*no route$/);
    expect(warnings[2]).toMatch(/^Jobs\.slow: cut after 15 ms by the time limit of its circuit breaker/);
    expect(log.ofBulwark('log')).toEqual([
      expect.stringMatching(/^payments: circuit breaker is closed/),
      expect.stringMatching(/^Rules by ann/),
    ]);
  });

  it('says what is done by hand each time, in the order in which it was done', async () => {
    const { jobs, all, log, resilience } = await app();
    await jobs.pay(false);
    const handle = resilience.circuitBreaker('payments');

    for (let round = 0; round < 8; round++) {
      handle.forceOpen(`drill ${round}`);
      handle.forceClose();
    }
    handle.breaker.open();
    handle.reset();
    handle.disable();
    handle.enable();
    for (let one = 0; one < 2; one++) await rejection(jobs.pay(true));

    expect(all()).toHaveLength(21);
    expect(log.ofBulwark('warn').slice(-4)).toEqual([
      expect.stringMatching(/is forced open .*: drill 7$/),
      expect.stringMatching(/is open .*: opened by hand$/),
      expect.stringMatching(/is disabled .*: disabled by hand$/),
      expect.stringContaining('payments: circuit breaker is open'),
    ]);
  });

  it('is silent with `false`', async () => {
    const { jobs, all, resilience } = await app({ log: false });

    for (let one = 0; one < 2; one++) await rejection(jobs.pay(true));
    await rejection(jobs.load());
    resilience.rules.apply({ policies: { payments: { circuitBreaker: { volumeThreshold: 5 } } } }, { by: 'ann' });

    expect(all()).toEqual([]);
  });

  it('tells every event with `all`', async () => {
    const { jobs, log } = await app({ log: 'all' });

    for (let one = 0; one < 3; one++) await jobs.pay(false);

    expect(log.ofBulwark('log').filter((line) => line.startsWith('payments: circuitBreaker success'))).toHaveLength(3);
  });

  it('refuses anything else', async () => {
    const wrong = { imports: [ResilienceModule.forRoot({ log: 'some' as never })] };

    expect((await startUpError(wrong)).message).toMatch(/option 'log': expected .*'changes'.*'all'.*got 'some'/);
  });

  it('tells at the end what was counted', async () => {
    const { jobs, module, log } = await app();

    for (let one = 0; one < 5; one++) await rejection(jobs.load());
    await module.close();

    expect(log.ofBulwark('warn')).toEqual([
      expect.stringContaining('after 3 attempts'),
      expect.stringMatching(/Jobs\.load: not tried again: .* \.\.\. 4 more in the last minute$/),
    ]);
  });
});

describe('a job under @Recover @Bulkhead(1)', () => {
  it('does not flood the log with what was only turned away', async () => {
    const { jobs, module, log } = await app();
    const first = jobs.run();

    for (let one = 0; one < 200; one++) await jobs.run();
    jobs.ends.forEach((end) => end());
    await first;

    expect(log.ofBulwark('error')).toHaveLength(1);
    expect(JSON.stringify(log.lines)).not.toContain('at Jobs.');
    await module.close();
    expect(log.ofBulwark('error')).toHaveLength(2);
    expect(log.ofBulwark('error')[1]).toContain('199 more in the last minute');
  });
});
