import 'reflect-metadata';
import { Injectable, type Type } from '@nestjs/common';
import { CircuitOpenException, Fallback, Recover, ResilienceModule, Timeout } from 'nestjs-bulwark';
import { describe, expect, it } from 'vitest';
import { initialise, startUpError } from './support/harness.js';

const errorOf = (...providers: Type[]): Promise<Error> =>
  startUpError({ imports: [ResilienceModule.forRoot()], providers });

describe('fallbacks by name that would call each other without end', () => {
  it('stop the start, when a method is to answer for itself', async () => {
    @Injectable()
    class Own {
      @Fallback('call')
      async call(): Promise<number> {
        throw new Error('down');
      }
    }

    const { message } = await errorOf(Own);

    expect(message).toBe(
      "Own.call, @Fallback: 'call' is to answer for itself, and would call itself without end while it fails; expected a method that needs no answer of it",
    );
  });

  it('stop the start, when a method recovers by itself, or names itself in a list', async () => {
    @Injectable()
    class Rates {
      @Recover({ use: 'rate' })
      async rate(): Promise<number> {
        throw new Error('down');
      }
      @Fallback([{ use: 'rate', on: CircuitOpenException }, { use: 'last' }, { value: 1 }])
      async last(): Promise<number> {
        throw new Error('down');
      }
    }

    const { message } = await errorOf(Rates);

    expect(message).toContain("Rates.rate, @Recover: 'rate' is to answer for itself");
    expect(message).toContain("Rates.last, @Fallback: 'last' is to answer for itself");
  });

  it('stop the start with the ring, and are told for each method on it, but not for one that leads to it', async () => {
    @Injectable()
    class Base {
      @Fallback('second')
      async first(): Promise<number> {
        throw new Error('down');
      }
      @Recover({ use: 'third' })
      async second(): Promise<number> {
        throw new Error('down');
      }
      async third(): Promise<number> {
        return 3;
      }
      @Fallback('first')
      async outside(): Promise<number> {
        throw new Error('down');
      }
    }
    @Injectable()
    class Sub extends Base {
      @Fallback('first')
      override async third(): Promise<number> {
        throw new Error('down');
      }
    }

    const { message } = await errorOf(Base, Sub);

    expect(message).toContain('3 mistakes');
    expect(message).toContain('Sub.first, @Fallback: the methods answer for each other in a ring');
    expect(message).toContain('first -> second -> third -> first; expected');
    expect(message).toContain('second -> third -> first -> second');
    expect(message).toContain('third -> first -> second -> third');
    expect(message).not.toContain('Base.');
    expect(message).not.toContain('outside');
  });

  it('may lead from one to another, and to the same one by two ways', async () => {
    @Injectable()
    class Prices {
      @Fallback('nearby')
      @Recover({ use: 'none' })
      async price(): Promise<number> {
        throw new Error('down');
      }
      @Fallback('none')
      async nearby(): Promise<number> {
        throw new Error('down');
      }
      @Timeout(1_000)
      async none(): Promise<number> {
        return 0;
      }
    }

    const { module } = await initialise({ imports: [ResilienceModule.forRoot()], providers: [Prices] });

    expect(await module.get(Prices).price()).toBe(0);
  });
});

describe('fallbacks by name that may end', () => {
  const started = (...providers: Type[]) => initialise({ imports: [ResilienceModule.forRoot()], providers });

  it('start, where one of a ring answers some errors alone, or another one answers before', async () => {
    class Missing extends Error {}
    @Injectable()
    class Stores {
      @Fallback({ use: 'replica', on: TypeError })
      async primary(): Promise<string> {
        throw new TypeError('down');
      }
      @Fallback({ use: 'primary', on: Missing })
      async replica(): Promise<string> {
        return 'old';
      }
      @Fallback([{ value: 'known' }, { use: 'known' }])
      async known(): Promise<string> {
        throw new Error('down');
      }
      @Recover({ use: 'recovered', on: Missing })
      async recovered(): Promise<string> {
        return 'fine';
      }
    }

    const { module } = await started(Stores);

    const stores = module.get(Stores);
    expect([await stores.primary(), await stores.known(), await stores.recovered()]).toEqual(['old', 'known', 'fine']);
  });

  it('are no reason to refuse a call, where no start has told of the ring', async () => {
    class Base {
      @Fallback('last')
      async price(): Promise<number> {
        return 42;
      }
      async last(): Promise<number> {
        return 0;
      }
    }
    @Injectable()
    class Sub extends Base {
      override async price(): Promise<number> {
        return super.price();
      }
      @Fallback('price')
      override async last(): Promise<number> {
        return 1;
      }
    }
    class Own {
      @Fallback('call')
      async call(): Promise<number> {
        return 42;
      }
    }

    const { module } = await started(Sub);

    expect([await module.get(Sub).price(), await new Own().call()]).toEqual([42, 42]);
  });

  it('may be given by an accessor, and so may what overrides a guarded method', async () => {
    class Base {
      @Fallback('last')
      async price(): Promise<number> {
        throw new Error('down');
      }
      last(): number {
        return 0;
      }
    }
    @Injectable()
    class Sub extends Base {
      dependency: { rate: () => number } | undefined = undefined;
    }
    // The compiler refuses an accessor in the place of a method; JavaScript does not.
    for (const name of ['price', 'last'])
      Object.defineProperty(Sub.prototype, name, {
        get(this: Sub) {
          return (this.dependency as { rate: () => number }).rate;
        },
      });

    const { module } = await started(Sub);

    expect(module.get(Sub).dependency).toBeUndefined();
  });
});

/** As other libraries do it. */
const mention = (): MethodDecorator => (_target, _key, descriptor: PropertyDescriptor) => {
  const method = descriptor.value as (...all: unknown[]) => unknown;
  descriptor.value = function (this: unknown, ...all: unknown[]) {
    return method.apply(this, all);
  };
};

describe('a fallback by the name of a method whose parameters the compiler has told of', () => {
  it('stops the start, when the guarded method takes nothing but a rest parameter', async () => {
    @Injectable()
    class Sums {
      @Fallback('none')
      async sum(..._numbers: number[]): Promise<number> {
        throw new Error('down');
      }
      none(): number {
        return 0;
      }
    }

    const { message } = await errorOf(Sums);

    expect(message).toMatch(/Sums\.sum, @Fallback.*rest parameter.*expected a handler/s);
  });

  it('gets the error after them, when such a decorator has put its function into the class itself', async () => {
    const direct = (): MethodDecorator => (target, key, descriptor: PropertyDescriptor) => {
      const method = descriptor.value as (...all: unknown[]) => unknown;
      const own = {
        ...descriptor,
        value: function (this: unknown, ...all: unknown[]) {
          return method.apply(this, all);
        },
      };
      Object.defineProperty(target, key, own);
      return own as never;
    };
    @Injectable()
    class Rates {
      @Fallback('last')
      @direct()
      async rate(_currency: string): Promise<string> {
        throw new Error('down');
      }
      last(currency: string, error: Error): string {
        return `${currency} ${error.message}`;
      }
    }

    const { module } = await initialise({ imports: [ResilienceModule.forRoot()], providers: [Rates] });

    expect(await module.get(Rates).rate('EUR')).toBe('EUR down');
  });

  it('gets the error after them, when a decorator of another library takes any', async () => {
    @Injectable()
    class Rates {
      @Fallback('last')
      @mention()
      async rate(_currency?: string): Promise<string> {
        throw new Error('down');
      }
      last(currency: string | undefined, error: Error): string {
        return `${String(currency)} ${error.message}`;
      }
    }

    const { module } = await initialise({ imports: [ResilienceModule.forRoot()], providers: [Rates] });

    expect(await module.get(Rates).rate()).toBe('undefined down');
  });
});
