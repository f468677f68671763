import {
  Bulkhead,
  CircuitBreaker,
  Fallback,
  RateLimit,
  Recover,
  ResilienceConfigurationError,
  Resilient,
  Retry,
  Signal,
  Timeout,
} from 'nestjs-bulwark';
import { describe, expect, it } from 'vitest';

type Untyped = (target: object, key?: string | symbol, descriptor?: PropertyDescriptor | number) => void;

const DECORATORS: readonly { label: string; decorator: Untyped }[] = [
  { label: '@CircuitBreaker', decorator: CircuitBreaker() as Untyped },
  { label: '@Timeout', decorator: Timeout(100) as Untyped },
  { label: '@Retry', decorator: Retry() as Untyped },
  { label: '@Fallback', decorator: Fallback({ value: 1 }) as Untyped },
  { label: '@Recover', decorator: Recover() as Untyped },
  { label: '@RateLimit', decorator: RateLimit({ limit: 1, per: 1 }) as Untyped },
  { label: '@Bulkhead', decorator: Bulkhead() as Untyped },
  { label: '@Resilient', decorator: Resilient({ timeout: 100 }) as Untyped },
];

function thrownBy(decorate: () => unknown): Error {
  try {
    decorate();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
}

/** Puts a decorator where the compiler would refuse it. */
const onMember = (decorator: Untyped, target: object, key: string | symbol) => () =>
  decorator(target, key, Object.getOwnPropertyDescriptor(target, key));

class Shop {
  static open(): string {
    return 'open';
  }
  get total(): number {
    return 1;
  }
  set discount(_: number) {
    // Nothing is kept.
  }
  async [Symbol.asyncDispose](): Promise<void> {}
  async order(_id?: unknown): Promise<void> {}
}

describe.each(DECORATORS)('$label', ({ label, decorator }) => {
  it.each<[string, RegExp, (decorator: Untyped) => () => unknown]>([
    ['a getter', /accessor|getter/, (one) => onMember(one, Shop.prototype, 'total')],
    ['a setter', /accessor|setter/, (one) => onMember(one, Shop.prototype, 'discount')],
    ['a static method', /static/, (one) => onMember(one, Shop, 'open')],
    ['a field', /field/, (one) => () => one(Shop.prototype, 'name', undefined)],
    ['a static field', /static/, (one) => () => one(Shop, 'motto', undefined)],
    ['a parameter', /parameter/, (one) => () => one(Shop.prototype, 'order', 0)],
    ['a symbol-named method', /symbol/, (one) => onMember(one, Shop.prototype, Symbol.asyncDispose)],
  ])('throws at once with the reason, when it stands on %s', (_, reason, decorate) => {
    const error = thrownBy(decorate(decorator));

    expect(error).toBeInstanceOf(ResilienceConfigurationError);
    expect(error.message).toContain('Shop');
    expect(error.message).toContain(label);
    expect(error.message).toMatch(reason);
  });

  it('throws at once and names the compiler option, when it is used as a standard decorator', () => {
    const context = { kind: 'method', name: 'order', static: false, private: false };

    const error = thrownBy(() => decorator(Shop.prototype.order, context as never));

    expect(error.message).toContain('experimentalDecorators');
  });

  it('leaves the class as it was, when it was refused', () => {
    const before = Object.getOwnPropertyDescriptors(Shop.prototype);

    thrownBy(onMember(decorator, Shop.prototype, 'total'));

    expect(Object.getOwnPropertyDescriptors(Shop.prototype)).toEqual(before);
    expect(Shop.open()).toBe('open');
  });
});

it('throws at once with the reason, when a decorator stands on a parameter of a constructor', () => {
  class Cart {
    constructor(readonly id: string) {}
    async order(): Promise<void> {}
  }

  const error = thrownBy(() => (Timeout(100) as Untyped)(Cart, undefined, 0));

  expect(error).toBeInstanceOf(ResilienceConfigurationError);
  expect(error.message).toMatch(/Cart.*parameter/s);
});

describe('@Signal()', () => {
  it.each<[string, () => unknown]>([
    ['a parameter of a constructor', () => Signal()(Shop, undefined, 0)],
    ['a parameter of a static method', () => Signal()(Shop, 'open', 0)],
  ])('throws at once with the reason, when it stands on %s', (place, decorate) => {
    const error = thrownBy(decorate);

    expect(error).toBeInstanceOf(ResilienceConfigurationError);
    expect(error.message).toContain(place);
  });

  it('throws at once, when it stands on two parameters of a method', () => {
    class Client {
      async load(_a?: AbortSignal, _b?: AbortSignal): Promise<void> {}
    }
    Signal()(Client.prototype, 'load', 0);

    const error = thrownBy(() => Signal()(Client.prototype, 'load', 1));

    expect(error.message).toMatch(/two parameters of load/);
  });

  it('throws at once, when it stands on a method', () => {
    const error = thrownBy(() =>
      (Signal() as unknown as Untyped)(
        Shop.prototype,
        'order',
        Object.getOwnPropertyDescriptor(Shop.prototype, 'order'),
      ),
    );

    expect(error).toBeInstanceOf(ResilienceConfigurationError);
  });
});
