import { Injectable, Logger } from '@nestjs/common';
import {
  CircuitBreaker,
  consecutiveFailures,
  Recover,
  ResilienceModule,
  ResilienceService,
  Timeout,
} from 'nestjs-bulwark';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { initialise } from '../e2e/support/harness.js';

/** A logger that the app has brought, and that fails at whatever we say. */
const refuse = (context: unknown): void => {
  if (context === 'Bulwark') throw new Error('the log is full');
};

beforeEach(() => {
  vi.spyOn(Logger.prototype, 'log').mockImplementation(refusedOurs);
  for (const level of ['debug', 'warn', 'error'] as const)
    vi.spyOn(Logger.prototype, level).mockImplementation(refusedOurs);
});
afterEach(() => {
  vi.restoreAllMocks();
});

function refusedOurs(this: { context?: string }): void {
  refuse(this.context);
}

class Service {
  plain(): unknown {
    return 'plain';
  }
  failing(): Promise<string> {
    return Promise.reject(new Error('down'));
  }
}
guard('plain', Timeout(1_000));
guard('failing', CircuitBreaker('far', { trip: consecutiveFailures(9) }), Recover({ value: 'recovered' }));
Injectable()(Service);

/** Without metadata, as some compilers leave a class. */
function guard(name: string, ...guards: MethodDecorator[]): void {
  const descriptor = Object.getOwnPropertyDescriptor(Service.prototype, name) as PropertyDescriptor;
  for (const one of guards) one(Service.prototype, name, descriptor);
  Object.defineProperty(Service.prototype, name, descriptor);
}

async function app() {
  const { module } = await initialise({ imports: [ResilienceModule.forRoot()], providers: [Service] });
  return { service: module.get(Service), resilience: module.get(ResilienceService) };
}

describe("the app's own logger, when it throws", () => {
  it('hurts no start and no call that passes unguarded', async () => {
    const { service } = await app();

    expect(service.plain()).toBe('plain');
  });

  it('hurts no call of an instance without a module', async () => {
    expect(await new Service().failing()).toBe('recovered');
  });

  it('hurts no call that is recovered, and none whose listeners fail', async () => {
    const { service, resilience } = await app();
    resilience.events$.subscribe(() => {
      throw new Error('a listener');
    });

    expect(await service.failing()).toBe('recovered');
  });

  it('hurts no change of rules', async () => {
    const { resilience } = await app();

    resilience.rules.apply({ policies: { far: { circuitBreaker: false } } }, { by: 'test' });

    expect(resilience.circuitBreaker('far').state).toBe('disabled');
  });

  it('hurts no call of execute() under one name of too many', async () => {
    const { resilience } = await app();

    for (let call = 0; call < 1_100; call++)
      expect(await resilience.execute({ name: `n${call}`, bulkhead: 2 }, () => 'fine')).toBe('fine');
  });
});

describe('what is logged of an error', () => {
  it('is bounded, the stack too', async () => {
    vi.restoreAllMocks();
    const error = vi.spyOn(Logger.prototype, 'error').mockReturnValue(undefined);
    const { resilience } = await app();

    await resilience.execute({ recover: { value: 1 } }, () => Promise.reject(new Error('x'.repeat(1_000_000))));

    const [line, stack] = error.mock.calls[0] as [string, string];
    expect(line.length).toBeLessThan(5_000);
    expect(stack.length).toBeLessThan(10_000);
  });
});
