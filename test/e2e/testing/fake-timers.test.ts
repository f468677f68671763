import { Injectable } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import {
  CircuitBreaker,
  CircuitOpenException,
  fixed,
  ResilienceModule,
  ResilienceService,
  Retry,
  Timeout,
  TimeoutException,
} from 'nestjs-bulwark';
import { hang, ResilienceTesting } from 'nestjs-bulwark/testing';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { errorOf, track } from '../../support/settle.js';

@Injectable()
class Payments {
  @CircuitBreaker('payments', { volumeThreshold: 2, resetTimeout: 30_000, resetJitter: 0 })
  @Timeout(1_000)
  @Retry({ maxAttempts: 2, backoff: fixed(500) })
  async charge(): Promise<string> {
    return 'charged';
  }
}

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

describe("with Vitest's fake timers and the app's own clock", () => {
  it('a breaker lives its whole life', async () => {
    const module = await Test.createTestingModule({
      imports: [ResilienceModule.forRoot({ log: false })],
      providers: [Payments],
    }).compile();
    await module.init();
    onTestFinished(() => module.close());
    const payments = module.get(Payments);
    const breaker = module.get(ResilienceService).circuitBreaker('payments');
    ResilienceTesting.for(module).script(Payments, 'charge', [hang(), hang()]);

    const call = track(payments.charge());
    await vi.advanceTimersByTimeAsync(2_499);
    expect(call.status).toBe('pending');
    await vi.advanceTimersByTimeAsync(1);
    expect(call.outcome).toBeInstanceOf(TimeoutException);
    expect(breaker.state).toBe('open');
    expect(await errorOf(payments.charge())).toBeInstanceOf(CircuitOpenException);
    await vi.advanceTimersByTimeAsync(30_000);

    expect(breaker.state).toBe('halfOpen');
    expect(await payments.charge()).toBe('charged');
    expect(breaker.state).toBe('closed');
  });
});
