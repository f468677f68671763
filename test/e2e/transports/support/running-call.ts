import type { ClientProxy } from '@nestjs/microservices';
import { ResilienceService } from 'nestjs-bulwark';
import { firstValueFrom } from 'rxjs';
import { expect, it } from 'vitest';
import { rejection, until } from '../../support/harness.js';
import { at, seen, type ModuleOptions, type OpenedMicroservice } from './microservice.js';

type Headers = Record<string, unknown>;

export interface CarrierTests {
  open(forRoot?: ModuleOptions): Promise<OpenedMicroservice>;
  /** What a handler finds in its context, by lower-case names. */
  headersIn(context: unknown): Headers;
  /** The data of a message with headers that its sender has set itself. */
  withHeaders?(headers: Record<string, string>): unknown;
  /** The same, where a client sets them of all that it sends. */
  beforeSending?(client: ClientProxy, headers: Record<string, string>): void;
}

/** What goes with messages from one service to the next, and what it does there. */
export function itHandsOnTheRunningCall({ open, headersIn, withHeaders, beforeSending }: CarrierTests): void {
  const accepting = (): Promise<OpenedMicroservice> => open({ deadlines: { accept: true } });

  const sendWith = (
    { client, send }: OpenedMicroservice,
    handler: string,
    headers: Record<string, string>,
  ): Promise<unknown> => {
    beforeSending?.(client, headers);
    return send(handler, withHeaders?.(headers));
  };

  it('tells the time left, the attempt and the key of a repetition', async () => {
    const { caller } = await open();

    await caller.see('7');

    const headers = headersIn(seen[0]);
    expect(headers).toMatchObject({ 'x-retry-attempt': '1', 'idempotency-key': 'order-7' });
    const left = Number(/^(\d+)m$/.exec(String(headers['x-request-timeout']))?.[1]);
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThanOrEqual(5_000);
  });

  it('tells nothing, when no guarded call sends', async () => {
    const { send, caller } = await open();

    await send('seen');
    await firstValueFrom(caller.client.send(at('seen'), {}));

    expect(seen.map(headersIn)).toEqual([{}, {}]);
  });

  it('tells an event the key alone, since nobody waits for what becomes of it', async () => {
    const { caller, work } = await open({ deadlines: { accept: true } });

    await caller.emit('8');
    await until(() => work.attempts === 3, 'the retries of the event');

    expect(headersIn(seen[0])).toEqual({ 'idempotency-key': 'order-8' });
  });

  it('bounds what the handler does, and opens no breaker', async () => {
    const { caller, work, app } = await accepting();

    const error = await rejection(caller.judged());

    expect(error.code).toBe('TIMEOUT');
    await work.wasCut();
    expect(work.timesLeft[0]).toBeLessThanOrEqual(200);
    const { state, stats } = app.get(ResilienceService).circuitBreaker('transports-judged');
    expect([state, stats.failures]).toEqual(['closed', 0]);
  });

  it('lets one layer retry', async () => {
    const { caller, send, work } = await accepting();

    await rejection(caller.failing());
    const byCaller = work.attempts;
    await rejection(send('failing'));

    expect([byCaller, work.attempts - byCaller]).toEqual([2, 5]);
  });

  it('has other headers that say nothing of a retry, and names of any case', async () => {
    const opened = await accepting();
    const { work } = opened;

    await rejection(sendWith(opened, 'failing', { other: '1' }));
    expect(work.attempts).toBe(5);

    const error = await rejection(sendWith(opened, 'plain', { 'X-Request-Timeout': '80m' }));
    expect(error).toMatchObject({ code: 'TIMEOUT' });
    await work.wasCut();
  });

  it('has no limit, when none is accepted', async () => {
    const opened = await open();
    const { work } = opened;

    const hanging = sendWith(opened, 'plain', { 'X-Request-Timeout': '5m' }).catch(() => undefined);
    await work.hasBegun();
    await new Promise((resolve) => setTimeout(resolve, 60));

    expect(work.cuts).toEqual([]);
    void hanging;
  });
}
