import { Injectable, SetMetadata, type OnApplicationBootstrap } from '@nestjs/common';
import { DiscoveryModule, DiscoveryService, MetadataScanner, Reflector } from '@nestjs/core';
import { fixed, Recover, ResilienceModule, ResilienceService, Retry, Timeout } from 'nestjs-bulwark';
import { describe, expect, it } from 'vitest';
import { initialise } from './support/harness.js';

/** Finds its methods as @nestjs/schedule does: by metadata on the functions of every provider. */
const Cron = (expression: string) => SetMetadata('cron', expression);

@Injectable()
class Scheduler implements OnApplicationBootstrap {
  readonly jobs = new Map<string, () => Promise<unknown>>();

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly reflector: Reflector,
  ) {}

  onApplicationBootstrap(): void {
    for (const { instance } of this.discovery.getProviders() as {
      instance?: Record<string, () => Promise<unknown>>;
    }[]) {
      if (typeof instance !== 'object' || instance === null) continue;
      for (const name of this.scanner.getAllMethodNames(Object.getPrototypeOf(instance) as object)) {
        const method = instance[name];
        if (method === undefined || this.reflector.get<string>('cron', method) === undefined) continue;
        this.jobs.set(name, () => Promise.resolve(method.call(instance)));
      }
    }
  }
}

@Injectable()
class Reports {
  attempts = 0;

  @Retry({ maxAttempts: 3, backoff: fixed(0) })
  @Cron('* * * * *')
  async above(): Promise<string> {
    if (++this.attempts < 3) throw new Error('not yet');
    return 'made';
  }

  @Cron('* * * * *')
  @Recover(() => 'skipped')
  @Timeout(20)
  async below(): Promise<string> {
    return new Promise(() => undefined);
  }
}

describe('a scheduled method', () => {
  it('is found and guarded, when decorators stand above and below @Cron()', async () => {
    const { module } = await initialise({
      imports: [ResilienceModule.forRoot(), DiscoveryModule],
      providers: [Scheduler, Reports],
    });
    const { jobs } = module.get(Scheduler);

    expect([...jobs.keys()].sort()).toEqual(['above', 'below']);
    expect(await jobs.get('above')?.()).toBe('made');
    expect(await jobs.get('below')?.()).toBe('skipped');
  });

  it('logs what Recover caught with its stack, when the job failed', async () => {
    const { module, log } = await initialise({
      imports: [ResilienceModule.forRoot(), DiscoveryModule],
      providers: [Scheduler, Reports],
    });

    await module.get(Scheduler).jobs.get('below')?.();

    const [line] = log.lines.filter(({ level }) => level === 'error');
    expect(line?.text).toContain('Reports.below');
    expect(line?.rest.some((part) => String(part).includes('TimeoutException') || String(part).includes('at '))).toBe(
      true,
    );
    expect(module.get(ResilienceService).plan()).toHaveLength(2);
  });
});
