import { Injectable } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { adaptive, Bulkhead, RESILIENCE_CLOCK, ResilienceModule, ResilienceService } from 'nestjs-bulwark';
import { describe, expect, it, onTestFinished } from 'vitest';
import { VirtualClock } from '../support/virtual-clock.js';

@Injectable()
class Shop {
  @Bulkhead('shop', { maxConcurrent: 20 })
  async hang(): Promise<never> {
    return new Promise(() => undefined);
  }

  @Bulkhead('adaptive', { maxConcurrent: adaptive({ initial: 20 }) })
  async follow(): Promise<void> {}
}

async function start(options: Parameters<typeof ResilienceModule.forRoot>[0]) {
  const clock = new VirtualClock();
  const module = await Test.createTestingModule({
    imports: [ResilienceModule.forRoot({ log: false, ...options })],
    providers: [Shop],
  })
    .overrideProvider(RESILIENCE_CLOCK)
    .useValue(clock)
    .compile();
  const app = module.createNestApplication({ logger: false });
  onTestFinished(() => app.close());
  // What passes before the app has started does not count.
  await clock.advance(60_000);
  await app.init();
  const service = app.get(ResilienceService);
  const shop = app.get(Shop);
  /** How many more calls get in. */
  const fill = async (): Promise<number> => {
    let refused = false;
    for (let n = 1; ; n++) {
      shop.hang().catch(() => (refused = true));
      await clock.advance(0);
      if (refused) return n - 1;
    }
  };
  const limitOf = (name: string) => service.bulkheads().find((one) => one.name === name)?.limit;
  return { app, clock, fill, limitOf, follow: () => shop.follow() };
}

describe('forRoot({ startUp })', () => {
  it('lets limits grow from a share of themselves to all', async () => {
    const { clock, fill, limitOf } = await start({ startUp: { over: 10_000, from: 0.1 } });

    expect(await fill()).toBe(2);
    await clock.advance(5_000);
    expect([await fill(), limitOf('shop')]).toEqual([9, 11]);
    await clock.advance(5_000);
    expect([await fill(), limitOf('shop')]).toEqual([9, 20]);
  });

  it('lets one call run whatever the share', async () => {
    const { fill } = await start({ startUp: { over: 10_000, from: 0 } });

    expect(await fill()).toBe(1);
  });

  it('leaves adaptive limits to themselves', async () => {
    const { follow, limitOf } = await start({ startUp: { over: 10_000, from: 0.1 } });
    await follow();

    expect(limitOf('adaptive')).toBe(20);
  });

  it('is off by default', async () => {
    const { fill } = await start({});

    expect(await fill()).toBe(20);
  });

  it.each([{ over: 0, from: 0.1 }, { over: 100 }, { over: 100, from: 2 }, 100])('tells a wrong %j', async (startUp) => {
    await expect(start({ startUp: startUp as never })).rejects.toThrow(
      "option 'startUp': expected { over: ms above 0, from: a number from 0 to 1 }",
    );
  });
});
