import 'reflect-metadata';
import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, it } from 'vitest';
import {
  Bulkhead,
  CircuitBreaker,
  Recover,
  ResilienceModule,
  ResilienceService,
  Retry,
  Signal,
  Timeout,
  fixed,
} from 'nestjs-bulwark';
import { Injectable } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { bind } from '../../lib/module/runtime/binding.js';
import { Runtime } from '../../lib/module/runtime/runtime.js';

/** Guards `methods` of a class with the module, and gives an instance and the service. */
async function start<T>(type: new () => T, options: Parameters<typeof ResilienceModule.forRoot>[0] = {}) {
  Injectable()(type);
  const module = await Test.createTestingModule({
    imports: [ResilienceModule.forRoot(options)],
    providers: [type],
  }).compile();
  module.useLogger(false);
  await module.init();
  return { instance: module.get<T>(type), resilience: module.get(ResilienceService), module };
}

describe('a call under a breaker', () => {
  const strange = {
    'has no text': () => Object.create(null) as Error,
    'has headers that throw': () =>
      Object.assign(new Error('x'), {
        headers: {
          get() {
            throw new Error('no headers');
          },
        },
      }),
    'has a property that throws': () =>
      Object.defineProperty(new Error('x'), 'response', {
        get() {
          throw new Error('no response');
        },
      }),
  };

  it.each(Object.entries(strange))('is rejected with what was thrown and trips, when the error %s', async (_, make) => {
    const error = make();
    class Client {
      @CircuitBreaker({ volumeThreshold: 1 })
      async call(): Promise<void> {
        throw error;
      }
    }
    const { instance, resilience } = await start(Client);

    await expect(instance.call()).rejects.toBe(error);

    expect(resilience.circuitBreaker('Client.call').state).toBe('open');
  });

  it('closes again, when it calls itself', async () => {
    let healthy = false;
    class Pages {
      @CircuitBreaker({ volumeThreshold: 1, resetTimeout: 0 })
      async walk(left: number): Promise<number> {
        if (!healthy) throw new Error('down');
        return left === 0 ? 0 : 1 + (await this.walk(left - 1));
      }
    }
    const { instance, resilience } = await start(Pages);
    await instance.walk(0).catch(() => undefined);
    healthy = true;

    for (let i = 0; i < 10; i++) await instance.walk(3).catch(() => undefined);

    expect(await instance.walk(3)).toBe(3);
    expect(resilience.circuitBreaker('Pages.walk').state).toBe('closed');
  });
});

describe('an async iterable', () => {
  it('ends with the reason of the abort, when its caller aborts between two items', async () => {
    class Feed {
      @Timeout(1_000)
      async *items(@Signal() _signal?: AbortSignal): AsyncGenerator<number> {
        yield 1;
        yield 2;
        yield 3;
      }
    }
    const { instance } = await start(Feed);
    const controller = new AbortController();
    const seen: number[] = [];

    const reading = (async () => {
      for await (const item of instance.items(controller.signal)) {
        seen.push(item);
        controller.abort(new Error('enough'));
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();

    await expect(reading).rejects.toThrow('enough');
    expect(seen).toEqual([1]);
  });
});

describe('a thenable that can be iterated as well, as query builders are', () => {
  it('is taken for a promise', async () => {
    class Repository {
      @Retry({ maxAttempts: 2, backoff: fixed(0) })
      find(): PromiseLike<string> {
        const query = Promise.resolve('row') as Promise<string> & { [Symbol.asyncIterator]?: unknown };
        return { then: query.then.bind(query), [Symbol.asyncIterator]: () => undefined } as PromiseLike<string>;
      }
    }
    const { instance } = await start(Repository);

    expect(await instance.find()).toBe('row');
  });
});

describe('recovery', () => {
  it('gives its own value, when the defaults have a handler', async () => {
    class Job {
      @Recover({ value: 'own' })
      async run(): Promise<string> {
        throw new Error('down');
      }
    }
    const { instance } = await start(Job, { policies: { default: { recover: { use: () => 'default' } } } });

    expect(await instance.run()).toBe('own');
  });

  it('catches what has no text', async () => {
    class Job {
      @Recover()
      async run(): Promise<string> {
        throw Object.create(null);
      }
    }
    const { instance } = await start(Job);

    expect(await instance.run()).toBeUndefined();
  });
});

describe('a wrong option without the module', () => {
  it('is told by a rejection', async () => {
    class Alone {
      @Timeout(-5)
      async go(): Promise<void> {}
    }

    await expect(new Alone().go()).rejects.toThrow(/Alone\.go.*-5/s);
  });
});

describe('the kill switch', () => {
  it('leaves the handle of a breaker where it was', async () => {
    class Client {
      @CircuitBreaker('pay', { volumeThreshold: 1 })
      async call(): Promise<void> {}
    }
    const { resilience } = await start(Client, { enabled: false });

    expect(resilience.circuitBreaker('pay').state).toBe('closed');
  });
});

describe('a call that waits for a slot', () => {
  it('runs in the context of its own caller, not of the call that gave it the slot', async () => {
    const storage = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    class Service {
      @Bulkhead({ maxConcurrent: 1, maxQueue: 10 })
      @Timeout(false)
      async call(): Promise<void> {
        seen.push(storage.getStore());
        await new Promise((resolve) => setImmediate(resolve));
        seen.push(storage.getStore());
      }
    }
    const { instance, module } = await start(Service);

    await Promise.all(['a', 'b', 'c'].map((name) => storage.run(name, () => instance.call())));

    expect(seen).toEqual(['a', 'a', 'b', 'b', 'c', 'c']);
    await module.close();
  });
});

describe('the plan of a method', () => {
  it('is made anew for the next call when policies change, though the last call has left its own at hand', async () => {
    class Service {
      runs = 0;
      @Retry({ backoff: fixed(0) })
      async call(): Promise<void> {
        this.runs++;
        throw new Error('x');
      }
    }
    const runtime = new Runtime();
    const instance = new Service();
    bind(instance, runtime);
    await expect(instance.call()).rejects.toThrow('x');
    expect(instance.runs).toBe(3);

    runtime.configure({ policies: { default: { retry: 2 } } });
    await expect(instance.call()).rejects.toThrow('x');

    expect(instance.runs).toBe(5);
  });
});
