import { HttpException } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { BulkheadFullException } from '../../../lib/errors/bulkhead-full.exception.js';
import { CircuitOpenException } from '../../../lib/errors/circuit-open.exception.js';
import { isClientError } from '../../../lib/errors/client-error.js';
import { ResilienceConfigurationError } from '../../../lib/errors/configuration.error.js';
import { RateLimitExceededException } from '../../../lib/errors/rate-limit-exceeded.exception.js';
import { isRefusal, ResilienceException } from '../../../lib/errors/resilience.exception.js';
import { ShutdownException } from '../../../lib/errors/shutdown.exception.js';
import { TimeoutException } from '../../../lib/errors/timeout.exception.js';

const init = {
  policy: 'circuitBreaker',
  instanceName: 'payments',
  message: 'upstream said: password=hunter2',
  retryAfterMs: 1_500,
  details: { failures: 5 },
  cause: new Error('secret'),
};

describe.each([
  [CircuitOpenException, 'CIRCUIT_OPEN', 503, 'Service Unavailable'],
  [TimeoutException, 'TIMEOUT', 504, 'Gateway Timeout'],
  [BulkheadFullException, 'BULKHEAD_FULL', 503, 'Service Unavailable'],
  [RateLimitExceededException, 'RATE_LIMITED', 429, 'Too Many Requests'],
  [ShutdownException, 'SHUTDOWN', 503, 'Service Unavailable'],
] as const)('%o', (Exception, code, status, phrase) => {
  const error = new Exception(init);

  it('is an HttpException with the right status', () => {
    expect(error).toBeInstanceOf(ResilienceException);
    expect(error).toBeInstanceOf(HttpException);
    expect(error.getStatus()).toBe(status);
    expect(error.name).toBe(Exception.name);
  });

  it('carries its code, policy, instance, time and numbers', () => {
    const { policy, instanceName, message, retryAfterMs, details, cause } = init;

    expect(error).toMatchObject({ code, policy, instanceName, message, retryAfterMs, details });
    expect(error.cause).toBe(cause);
  });

  it('answers with nothing but the status, its phrase and the code', () => {
    expect(error.getResponse()).toEqual({ statusCode: status, message: phrase, errorCode: code });
  });

  it('needs no time, no numbers and no cause', () => {
    const bare = new Exception({ policy: 'p', instanceName: 'i', message: 'm' });

    expect([bare.retryAfterMs, bare.details, bare.cause]).toEqual([undefined, undefined, undefined]);
  });
});

describe('isRefusal', () => {
  it('knows every refusal by its class', () => {
    const refusals = [CircuitOpenException, BulkheadFullException, RateLimitExceededException, ShutdownException];

    expect(refusals.map((Refusal) => isRefusal(new Refusal(init)))).toEqual([true, true, true, true]);
  });

  it('knows a timeout as one only while the method had not begun', () => {
    expect(isRefusal(new TimeoutException({ ...init, queued: true }))).toBe(true);
    expect(isRefusal(new TimeoutException(init))).toBe(false);
    expect(new TimeoutException(init).queued).toBe(false);
  });

  it('takes nothing else for one, whatever it looks like', () => {
    const { code, message } = new CircuitOpenException(init);
    const others = [new HttpException('x', 503), Object.assign(new Error(message), { code, refusal: true }), null, 'x'];

    expect(others.some(isRefusal)).toBe(false);
  });
});

describe('isClientError', () => {
  it('knows HttpExceptions below 500, and nothing else', () => {
    expect([400, 404, 429, 499].every((status) => isClientError(new HttpException('x', status)))).toBe(true);
    expect(isClientError(new HttpException('x', 500))).toBe(false);
    expect(isClientError(Object.assign(new Error('x'), { status: 404 }))).toBe(false);
    expect(isClientError(undefined)).toBe(false);
  });
});

describe('ResilienceConfigurationError', () => {
  it('says where and what', () => {
    const error = new ResilienceConfigurationError('Shop.buy, @Retry', 'expected more');

    expect(error.message).toBe('Shop.buy, @Retry: expected more');
    expect(error).toMatchObject({
      name: 'ResilienceConfigurationError',
      place: 'Shop.buy, @Retry',
      code: 'INVALID_CONFIGURATION',
    });
  });
});
