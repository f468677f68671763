import { Injectable } from '@nestjs/common';
import {
  Bulkhead,
  CircuitBreaker,
  Fallback,
  fixed,
  RateLimit,
  Recover,
  RESILIENCE_CLOCK,
  ResilienceModule,
  ResilienceService,
  Retry,
  Timeout,
  type ResilienceModuleOptions,
} from 'nestjs-bulwark';
import { after, ResilienceTesting, virtualClock } from 'nestjs-bulwark/testing';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { initialise, rejection } from './support/harness.js';

@Injectable()
class Stock {
  attempts = 0;

  @Retry({ maxAttempts: 3, backoff: fixed(0) })
  @CircuitBreaker({ volumeThreshold: 1 })
  @RateLimit({ limit: 1, per: 60_000 })
  @Bulkhead(1)
  async level(): Promise<never> {
    this.attempts++;
    throw new Error('down');
  }

  @Timeout(10)
  async slow(): Promise<string> {
    return 'quick';
  }

  @Fallback({ value: 'substitute' })
  async substituted(): Promise<string> {
    throw new Error('down');
  }

  @Recover({ value: 'recovered', log: false })
  async recovered(): Promise<string> {
    throw new Error('down');
  }
}

describe.each<[string, ResilienceModuleOptions, string | undefined]>([
  ['enabled: false', { enabled: false }, undefined],
  ['BULWARK_DISABLED=1', {}, '1'],
  ['BULWARK_DISABLED=true', {}, 'true'],
  ['BULWARK_DISABLED= ON', {}, ' ON'],
  ['BULWARK_DISABLED=1 against enabled: true', { enabled: true }, '1'],
])('with %s', (_, options, variable) => {
  afterEach(() => vi.unstubAllEnvs());

  async function stock() {
    vi.stubEnv('BULWARK_DISABLED', variable);
    const clock = virtualClock();
    const { module } = await initialise(
      { imports: [ResilienceModule.forRoot(options)], providers: [Stock] },
      (builder) => builder.overrideProvider(RESILIENCE_CLOCK).useValue(clock),
    );
    const testing = ResilienceTesting.for(module);
    return { stock: module.get(Stock), service: module.get(ResilienceService), testing, clock };
  }

  it('calls the method once and refuses nothing, when it fails under all policies', async () => {
    const { stock: guarded } = await stock();

    const errors = [await rejection(guarded.level()), await rejection(guarded.level())];

    expect(errors.map(({ message }) => message)).toEqual(['down', 'down']);
    expect(guarded.attempts).toBe(2);
  });

  it('cuts nothing, when a method takes longer than its limit', async () => {
    const { stock: guarded, testing, clock } = await stock();
    testing.script(Stock, 'slow', [after(40, 'slow')]);

    const slow = guarded.slow();
    await clock.advance(40);

    expect(await slow).toBe('slow');
  });

  it('keeps Fallback and Recover, when methods fail', async () => {
    const { stock: guarded } = await stock();

    expect(await guarded.substituted()).toBe('substitute');
    expect(await guarded.recovered()).toBe('recovered');
  });

  it('runs the work alone, when execute() has a set with other policies', async () => {
    const { service } = await stock();
    let attempts = 0;

    const error = await rejection(
      service.execute({ retry: { maxAttempts: 3, backoff: fixed(0) } }, () => {
        attempts++;
        throw new Error('down');
      }),
    );

    expect(error.message).toBe('down');
    expect(attempts).toBe(1);
  });
});

describe('whoever reads the log', () => {
  afterEach(() => vi.unstubAllEnvs());

  it('learns that the variable turns the policies off', async () => {
    vi.stubEnv('BULWARK_DISABLED', 'yes');
    const { log } = await initialise({ imports: [ResilienceModule.forRoot()], providers: [Stock] });

    expect(log.ofBulwark('warn')).toEqual(['BULWARK_DISABLED turns off all policies but Fallback and Recover']);
  });

  it('learns at the start that nobody knows what the variable says', async () => {
    vi.stubEnv('BULWARK_DISABLED', 'offline');

    const starting = initialise({ imports: [ResilienceModule.forRoot()], providers: [Stock] });

    await expect(starting).rejects.toThrow("BULWARK_DISABLED: expected 1 or 0, got 'offline'");
  });
});

describe.each(['0', 'false', ''])('with BULWARK_DISABLED=%s', (variable) => {
  afterEach(() => vi.unstubAllEnvs());

  it('guards as ever, when methods fail', async () => {
    vi.stubEnv('BULWARK_DISABLED', variable);
    const { module } = await initialise({ imports: [ResilienceModule.forRoot()], providers: [Stock] });

    const error = await rejection(module.get(Stock).level());

    expect(error.code).toBe('CIRCUIT_OPEN');
    expect(module.get(Stock).attempts).toBe(1);
  });
});
