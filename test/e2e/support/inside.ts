import { Catch, HttpException, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import {
  Bulkhead,
  CircuitBreaker,
  RateLimit,
  ShutdownException,
  Timeout,
  type ResilienceErrorCode,
} from 'nestjs-bulwark';
import { throwError } from 'rxjs';
import { expect } from 'vitest';
import { never } from './harness.js';

/** What an upstream says that no client may read. */
const SECRET = 'connect ECONNREFUSED db.internal:5432 user=admin';

/** A client of an upstream whose every call ends in an error of ours; its names are as secret as its errors. */
export class InsideClient {
  @CircuitBreaker('inside-breaker', { volumeThreshold: 1, resetTimeout: 60_000, resetJitter: 0 })
  async open(): Promise<string> {
    throw new Error(SECRET);
  }

  @Timeout(20)
  async timeout(): Promise<string> {
    return never();
  }

  @Bulkhead('inside-bulkhead', { maxConcurrent: 1 })
  async full(): Promise<string> {
    return never();
  }

  @RateLimit('inside-limit', { limit: 1, per: 60_000 })
  async limited(): Promise<string> {
    return 'let through';
  }

  async shutdown(): Promise<string> {
    throw new ShutdownException({
      policy: 'retry',
      instanceName: 'InsideClient.shutdown',
      message: `InsideClient.shutdown was not tried again, after ${SECRET}`,
      details: { lastError: SECRET },
      cause: new Error(SECRET),
    });
  }

  /** Fails with the error of ours that `kind` names: what the upstream throws itself is the app's to hide. */
  async fail(kind: Kind): Promise<string> {
    const first = this[kind]();
    first.catch(() => undefined);
    await Promise.race([first, new Promise((resolve) => setTimeout(resolve, 1))]).catch(() => undefined);
    return this[kind]();
  }
}

export type Kind = 'open' | 'timeout' | 'full' | 'limited' | 'shutdown';

export const KINDS: readonly (readonly [Kind, ResilienceErrorCode, string])[] = [
  ['open', 'CIRCUIT_OPEN', 'Service Unavailable'],
  ['timeout', 'TIMEOUT', 'Gateway Timeout'],
  ['full', 'BULKHEAD_FULL', 'Service Unavailable'],
  ['limited', 'RATE_LIMITED', 'Too Many Requests'],
  ['shutdown', 'SHUTDOWN', 'Service Unavailable'],
];

/** How an app answers: as Nest does, by our filter, or by a filter of its own that publishes `error.message`. */
export const ANSWERERS = ['nest', 'module', 'own'] as const;
export type Answerer = (typeof ANSWERERS)[number];

/** Fails if an answer holds anything of the upstream or of the app's inside. */
export function expectPublic(answer: unknown): void {
  const text = typeof answer === 'string' ? answer : JSON.stringify(answer);

  expect(text).not.toMatch(/db\.internal|ECONNREFUSED|admin|inside|\bat |\.ts:/i);
}

/** What many apps have: it answers for everything, with the message of the error. */
@Catch()
export class MessageFilter implements ExceptionFilter {
  constructor(private readonly host: HttpAdapterHost) {}

  catch(error: Error, host: ArgumentsHost): unknown {
    const { message } = error;
    switch (host.getType<string>()) {
      case 'http': {
        const status = error instanceof HttpException ? error.getStatus() : 500;
        return this.host.httpAdapter.reply(host.switchToHttp().getResponse(), { own: message, error }, status);
      }
      case 'rpc':
        return throwError(() => ({ code: 13, own: message, message, error }));
      default:
        return new Error(message);
    }
  }
}
