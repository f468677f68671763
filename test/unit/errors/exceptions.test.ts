import { inspect } from 'node:util';
import { HttpException } from '@nestjs/common';
import { instanceToPlain } from 'class-transformer';
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
  cause: new Error('secret at db:5432'),
};

/** All that a serialiser could find in plain data, however deep. */
const shown = (data: unknown): string => inspect(data, { depth: null, customInspect: false });

function enumerated(value: object): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const key in value) found[key] = (value as Record<string, unknown>)[key];
  return found;
}

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

  it('carries its code, policy, instance, time, explanation and numbers', () => {
    const { policy, instanceName, message: explanation, retryAfterMs, details, cause } = init;

    expect(error).toMatchObject({ code, policy, instanceName, explanation, retryAfterMs, details });
    expect(error.cause).toBe(cause);
  });

  it('says in public its phrase, its code and the time to come back', () => {
    expect(error.message).toBe(`${phrase} (${code}), retry after 2 s`);
    expect(String(error)).toBe(`${Exception.name}: ${phrase} (${code}), retry after 2 s`);
    expect(new Exception({ ...init, retryAfterMs: undefined }).message).toBe(`${phrase} (${code})`);
  });

  it.each<[string, (value: object) => unknown]>([
    ['JSON', (value) => JSON.stringify({ value, list: [value] })],
    ['a spread', (value) => shown({ ...value })],
    ['Object.assign()', (value) => shown(Object.assign({}, value))],
    ['its entries', (value) => shown(Object.entries(value))],
    ['a loop over its keys', (value) => shown(enumerated(value))],
    ['class-transformer', (value) => shown(instanceToPlain(value))],
    ['a copy of its enumerable properties', (value) => shown(structuredClone({ ...value }))],
    ['text', (value) => `${(value as Error).toString()} ${(value as Error).message}`],
  ])('publishes nothing of the inside, when an answer is made of it by %s', (_, answer) => {
    expect(answer(error)).toContain(phrase);
    expect(answer(error)).not.toMatch(/hunter2|secret|payments|at db/);
  });

  it('gives the body of the answer as its JSON', () => {
    expect(JSON.parse(JSON.stringify(error))).toEqual({ statusCode: status, message: phrase, errorCode: code });
  });

  it('shows everything to logs, by its stack and by inspection', () => {
    expect(error.stack).toBe(`${Exception.name}: ${error.message}: ${init.message}`);
    for (const text of [
      inspect(error),
      inspect({ nested: { error } }),
      inspect(new Error('outer', { cause: error })),
    ]) {
      expect(text).toContain(init.message);
      expect(text).toMatch(/failures: 5/);
      expect(text).toContain('payments');
      expect(text).toContain('at db:5432');
    }
  });

  it('is shown to its end, when its cause leads back to it and no depth is given', () => {
    const cause: Error & { again?: unknown } = new Error('round');
    cause.again = new Exception({ ...init, cause });

    expect(inspect(cause.again, { depth: null })).toContain('round');
  });

  it('leaves the limit of stacks as it was', () => {
    const { stackTraceLimit } = Error;

    new Exception(init);

    expect(Error.stackTraceLimit).toBe(stackTraceLimit);
  });

  it('can be read through a proxy and an heir', () => {
    const strangers = [new Proxy(error, {}), Object.create(error) as typeof error];

    for (const { message, explanation, instanceName, details } of strangers) {
      expect([message, explanation, instanceName, details]).toEqual([error.message, '', '', undefined]);
    }
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
