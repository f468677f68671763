import type { INestApplication } from '@nestjs/common';
import { ResilienceService, type ResilienceErrorCode } from 'nestjs-bulwark';
import { expect, it } from 'vitest';
import { rejection, type RecordingLogger } from '../../support/harness.js';
import type { Work } from './work.js';

/** The handlers that each transport has, in its own way; what guards them stands above and below its decorator. */
export type Handler = 'retried' | 'hanging' | 'open' | 'held' | 'answered';

/** An app on some transport, and a client of it. */
export interface Opened {
  readonly app: INestApplication;
  readonly log: RecordingLogger;
  readonly work: Work;
  /** Calls a handler; rejects with the error that the client gets. */
  ask(handler: Handler): Promise<unknown>;
}

export interface TransportTests {
  open(): Promise<Opened>;
  /** Whether its server does not close before it has answered. @default false */
  readonly answersFirst?: boolean;
  /** Fails unless a client got `error` for `code`. */
  expectError(error: unknown, code: ResilienceErrorCode): void;
}

/** What holds on the handlers of every transport on which somebody waits for an answer. */
export function itHoldsOnHandlers({ open, expectError, answersFirst = false }: TransportTests): void {
  it('is called again, when it fails under @Retry()', async () => {
    const { ask, work } = await open();

    expect(await ask('retried')).toBe('third time');
    expect(work.attempts).toBe(3);
  });

  it('is cut and told in the language of the transport, when its time is over', async () => {
    const { ask, work } = await open();

    const error = await rejection(ask('hanging'));

    expectError(error, 'TIMEOUT');
    await work.wasCut();
  });

  it('is refused and shows no text of the upstream, when its breaker is open', async () => {
    const { ask, work, app } = await open();
    await rejection(ask('open'));

    const error = await rejection(ask('open'));

    expectError(error, 'CIRCUIT_OPEN');
    expect(JSON.stringify([error, error.message])).not.toContain('secret');
    expect(work.attempts).toBe(1);
    expect(app.get(ResilienceService).circuitBreaker('transports-open').state).toBe('open');
  });

  it('is refused, when its bulkhead is full', async () => {
    const { ask, work } = await open();
    const first = ask('held');
    await work.hasBegun();

    expectError(await rejection(ask('held')), 'BULKHEAD_FULL');

    work.release();
    expect(await first).toBe('released');
    expect(work.begun).toBe(1);
  });

  it('is answered by its fallback, when it fails', async () => {
    const { ask } = await open();

    expect(await ask('answered')).toBe('a substitute');
  });

  it('lets the app close, when a call hangs', async () => {
    const { ask, work, app } = await open();
    ask('held').catch(() => undefined);
    await work.hasBegun();
    const since = performance.now();

    const closing = app.close();
    if (answersFirst) setTimeout(() => work.release(), 20);
    await closing;

    expect(performance.now() - since).toBeLessThan(10_000);
  });
}
