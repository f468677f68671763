import { Injectable } from '@nestjs/common';
import {
  exponential,
  RESILIENCE_CLOCK,
  RESILIENCE_RANDOM,
  ResilienceModule,
  ResilienceService,
  Retry,
  Timeout,
  TimeoutException,
  type ResilienceEvent,
} from 'nestjs-bulwark';
import { describe, expect, it } from 'vitest';
import { track } from '../support/settle.js';
import { VirtualClock } from '../support/virtual-clock.js';
import { initialise, type StartOptions } from './support/harness.js';

@Injectable()
class Rates {
  calls = 0;

  @Timeout(60_000)
  hang(): Promise<never> {
    return new Promise(() => undefined);
  }

  @Retry({ maxAttempts: 2, backoff: exponential({ initial: 1_000, jitter: 'full' }) })
  async fail(): Promise<never> {
    this.calls++;
    throw new Error('down');
  }
}

const app = async (override: NonNullable<StartOptions['override']>) => {
  const metadata = { imports: [ResilienceModule.forRoot({ log: false })], providers: [Rates] };
  const { module } = await initialise(metadata, override);
  const events: ResilienceEvent[] = [];
  module.get(ResilienceService).events$.subscribe((event) => events.push(event));
  return { rates: module.get(Rates), events };
};

describe('the surroundings of an app', () => {
  it('take the time of the clock that a test provides', async () => {
    const clock = new VirtualClock();
    const { rates, events } = await app((builder) => builder.overrideProvider(RESILIENCE_CLOCK).useValue(clock));

    const call = track(rates.hang());
    await clock.advance(59_999);
    expect(call.status).toBe('pending');
    await clock.advance(1);

    expect(call.outcome).toBeInstanceOf(TimeoutException);
    expect(events.map(({ type, at }) => [type, at])).toEqual([['timeout', clock.wallNow()]]);
  });

  it('take chance from what a test provides', async () => {
    const clock = new VirtualClock();
    const { rates, events } = await app((builder) =>
      builder
        .overrideProvider(RESILIENCE_CLOCK)
        .useValue(clock)
        .overrideProvider(RESILIENCE_RANDOM)
        .useValue(() => 0.25),
    );

    const call = track(rates.fail());
    await clock.advance(249);
    expect(rates.calls).toBe(1);
    await clock.advance(1);

    expect(rates.calls).toBe(2);
    expect(call.status).toBe('rejected');
    expect(events).toContainEqual(expect.objectContaining({ type: 'retry', delayMs: 250 }));
  });

  it('are those of each app alone', async () => {
    const clock = new VirtualClock();
    await app((builder) => builder.overrideProvider(RESILIENCE_CLOCK).useValue(clock));
    const { rates } = await app((builder) => builder.overrideProvider(RESILIENCE_RANDOM).useValue(() => 0));

    await expect(rates.fail()).rejects.toThrow('down');
    expect(rates.calls).toBe(2);
  });
});
