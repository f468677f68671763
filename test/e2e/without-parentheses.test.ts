import { Injectable } from '@nestjs/common';
import {
  AdaptiveThrottle,
  Bulkhead,
  CircuitBreaker,
  Coalesce,
  Fallback,
  Hedge,
  Idempotent,
  InjectDataService,
  RateLimit,
  Recover,
  ResilienceConfigurationError,
  Resilient,
  Retry,
  Signal,
  Timeout,
} from 'nestjs-bulwark';
import { LeaderOnly } from 'nestjs-bulwark/etcd';
import { describe, expect, it } from 'vitest';

type Bare = (...given: unknown[]) => unknown;

@Injectable()
class Orders {
  static async all(): Promise<void> {}
  async load(_id?: unknown): Promise<void> {}
}
const load = Object.getOwnPropertyDescriptor(Orders.prototype, 'load');

const ON_BOTH = {
  AdaptiveThrottle,
  Bulkhead,
  CircuitBreaker,
  Coalesce,
  Fallback,
  Hedge,
  RateLimit,
  Recover,
  Resilient,
  Retry,
  Timeout,
};

function saidOf(decorate: () => unknown): string {
  try {
    decorate();
  } catch (error) {
    expect(error).toBeInstanceOf(ResilienceConfigurationError);
    return (error as Error).message;
  }
  throw new Error('nothing was thrown');
}

/** As `@Name` is run, without parentheses. */
const named = (all: object) => Object.entries(all) as [string, Bare][];

describe.each(named(ON_BOTH))('@%s without parentheses', (name, bare) => {
  it.each<[string, unknown[], string]>([
    ['a method', [Orders.prototype, 'load', load], 'Orders.load'],
    ['a method, by the decorators of the language', [Orders.prototype.load, context('method', 'load')], 'a class.load'],
    ['a static method', [Orders, 'all', Object.getOwnPropertyDescriptor(Orders, 'all')], 'Orders.all'],
    ['a class', [Orders], 'Orders'],
    ['a class, by the decorators of the language', [Orders, context('class', 'Orders')], 'Orders'],
  ])('throws at once on %s, and says what to write', (_what, given, place) => {
    const said = saidOf(() => bare(...given));

    expect(said).toContain(`${place}, @${name}: stands there without parentheses; expected @${name}(`);
  });
});

describe.each(named({ Idempotent, LeaderOnly }))('@%s without parentheses', (name, bare) => {
  it('throws at once on a method', () => {
    expect(saidOf(() => bare(Orders.prototype, 'load', load))).toContain(`Orders.load, @${name}: `);
  });
});

describe.each(named({ Signal, InjectDataService }))('@%s without parentheses', (name, bare) => {
  it('throws at once on a parameter', () => {
    expect(saidOf(() => bare(Orders.prototype, 'load', 0))).toContain(`Orders.load, @${name}: `);
    expect(saidOf(() => bare(Orders, undefined, 0))).toContain(`Orders.constructor, @${name}: `);
  });
});

it('takes functions that are handlers, and settings that are instances of classes', () => {
  class Settings {
    limit = 5;
    per = 1_000;
  }
  const plain = function (): string {
    return 'none';
  };

  for (const decorate of [Fallback(() => 'none'), Fallback(plain), Recover(plain), RateLimit(new Settings())])
    expect(decorate).toBeTypeOf('function');
});

function context(kind: string, name: string): object {
  return { kind, name, static: false, private: false, addInitializer: () => undefined };
}
