import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Injectable } from '@nestjs/common';
import { Bulkhead, CircuitBreaker, currentCall, ResilienceService, Timeout } from 'nestjs-bulwark';
import { lastValueFrom, Observable } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { until } from '../support/until.js';
import { pass, settle, startApp, watch } from './scene.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

@Injectable()
class Pages {
  closed = 0;

  @Bulkhead('pages')
  @CircuitBreaker('pages', { timeout: false })
  async *numbers(): AsyncGenerator<number> {
    try {
      for (let page = 0; ; page++) yield await Promise.resolve(page);
    } finally {
      this.closed++;
    }
  }

  @Timeout(60_000)
  async *endless(): AsyncGenerator<number> {
    for (;;) yield await new Promise<never>(() => {});
  }

  @Timeout(60_000)
  forever(): Observable<number> {
    return new Observable();
  }

  @Timeout(60_000)
  async *left(): AsyncGenerator<number | undefined> {
    yield await Promise.resolve(currentCall()?.timeLeft());
  }

  @Timeout(100)
  async under<T>(work: () => Promise<T> | T): Promise<T> {
    return work();
  }
}

async function pages(bulkhead: object = {}) {
  const policies = { pages: { bulkhead: { maxConcurrent: 1, ...bulkhead } } };
  const scene = await startApp([Pages], { callContext: true, policies });
  const active = () =>
    scene
      .get(ResilienceService)
      .bulkheads()
      .find(({ name }) => name === 'pages')?.active;
  return { scene, service: scene.get(Pages), active };
}

describe('an iterable that nobody reads any more', () => {
  describe('and somebody still holds', () => {
    beforeEach(() => {
      vi.useFakeTimers();
    });
    afterEach(() => {
      vi.useRealTimers();
    });

    it('gives its slot back after abandonAfter, and goes on when it is read again', async () => {
      const { scene, service, active } = await pages({ abandonAfter: 1_000 });
      const stream = service.numbers();
      await stream.next();

      await pass(999);
      expect(active()).toBe(1);
      await pass(1);

      expect(active()).toBe(0);
      expect(scene.events).toContain('bulkhead abandoned');
      expect(await stream.next()).toEqual({ done: false, value: 1 });
      await stream.return(undefined);
      expect([active(), service.closed]).toEqual([0, 1]);
    });

    it('keeps its slot, as long as it is read in time', async () => {
      const { scene, service, active } = await pages({ abandonAfter: 1_000 });
      const stream = service.numbers();

      for (let read = 0; read < 5; read++) {
        await stream.next();
        await pass(900);
      }

      expect(active()).toBe(1);
      expect(scene.events).not.toContain('bulkhead abandoned');
      await stream.return(undefined);
      expect(active()).toBe(0);
    });

    it('keeps its slot for good with abandonAfter: false', async () => {
      const { service, active } = await pages({ abandonAfter: false });
      const stream = service.numbers();
      await stream.next();

      await pass(3_600_000);

      expect(active()).toBe(1);
      await stream.return(undefined);
    });
  });

  it('ends, cleans up and gives back what it holds, when nobody holds it', async () => {
    const { scene, service, active } = await pages({ abandonAfter: false });
    const collected = async (isSo: () => boolean): Promise<boolean> => {
      await new Promise((resolve) => setImmediate(resolve));
      collect();
      return isSo();
    };
    for (let made = 0; made < 3; made++) {
      await until('a free slot', () => collected(() => active() === 0));
      // Nothing but the call of next() ever refers to the stream.
      expect(await service.numbers().next()).toEqual({ done: false, value: 0 });
    }
    await until('the end of the sources', () => collected(() => service.closed === 3));

    expect(scene.breaker('pages').stats).toMatchObject({ failures: 0 });
  });

  it('gives the item that was asked for, when nobody holds it but the wait for that', async () => {
    const { service } = await pages();
    const item = service.numbers().next();

    for (let round = 0; round < 5; round++) collect();

    expect(await item).toEqual({ done: false, value: 0 });
  });
});

describe('a stream belongs to the call in which it is subscribed', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('is bound by its deadline, when an iterable was made outside', async () => {
    const { service } = await pages();
    const stream = service.endless();
    const read = watch(service.under(() => stream.next()));
    const inner = watch(service.under(async () => watch(stream.next()) && (await new Promise<never>(() => {}))));

    await pass(100);

    expect(read.error).toMatchObject({ code: 'TIMEOUT' });
    expect(inner.error).toMatchObject({ code: 'TIMEOUT' });
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  });

  it('is not bound by it, when an iterable was made inside and is read outside', async () => {
    const { service } = await pages();
    const stream = await service.under(() => [service.left()]).then(([one]) => one as AsyncGenerator<number>);

    const item = await stream.next();

    expect(item.value).toBe(60_000);
  });

  it('is bound by its deadline, when an Observable was made outside', async () => {
    const { service } = await pages();
    const source = service.forever();
    let ended: unknown;

    const read = watch(
      service.under(
        () => new Promise((_, reject) => source.subscribe({ error: (error) => reject((ended = error) as Error) })),
      ),
    );
    await pass(100);

    expect(read.error).toMatchObject({ code: 'TIMEOUT' });
    await settle();
    expect(ended).toMatchObject({ code: 'TIMEOUT' });
  });

  it('is not cut with it, when an Observable was made inside and is subscribed outside', async () => {
    const { service } = await pages();
    const source = await service.under(() => [service.forever()]).then(([one]) => one as Observable<number>);

    const read = watch(lastValueFrom(source));
    await pass(59_999);
    expect(read.settled).toBe(false);
    await pass(1);

    expect(read.error).toMatchObject({ code: 'TIMEOUT' });
  });
});
