import { randomUUID } from 'node:crypto';
import type { INestApplication } from '@nestjs/common';
import { RmqRecordBuilder, Transport, type RmqContext } from '@nestjs/microservices';
import { describe, expect, it } from 'vitest';
import { rabbitBroker } from '../../support/servers/brokers.js';
import { until } from '../support/harness.js';
import { itHoldsOnHandlers } from './support/handlers.js';
import { expectError, openMicroservice, seen, type ModuleOptions } from './support/microservice.js';
import { itHandsOnTheRunningCall } from './support/running-call.js';

const { url, missing } = await rabbitBroker();

interface Properties {
  readonly headers?: Record<string, unknown>;
  readonly expiration?: string;
}

function open(forRoot?: ModuleOptions) {
  const options = {
    urls: [url.href],
    queue: `bulwark-${randomUUID()}`,
    queueOptions: { durable: false, autoDelete: true },
  };
  return openMicroservice({ transport: Transport.RMQ, options }, forRoot, answersConfirmed);
}

/** Nest's server leaves the confirmations of its answers to nobody: closed before they come, they reject. */
async function answersConfirmed(app: INestApplication): Promise<void> {
  const { serverInstance } = app.getMicroservices()[0] as unknown as {
    serverInstance: { channel: { _messages: unknown[]; _unconfirmedMessages: unknown[] } };
  };
  const { channel } = serverInstance;
  await until(() => channel._messages.length + channel._unconfirmedMessages.length === 0, 'the confirmations');
}

const propertiesIn = (context: unknown): Properties =>
  ((context as RmqContext).getMessage() as { properties: Properties }).properties;

const headersIn = (context: unknown): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(propertiesIn(context).headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]),
  );

const withHeaders = (headers: Record<string, string>): unknown =>
  new RmqRecordBuilder({}).setOptions({ headers }).build();

describe.skipIf(missing !== undefined)('a handler of a microservice over RabbitMQ', () => {
  itHoldsOnHandlers({ open, expectError });
});

describe.skipIf(missing !== undefined)('the running call, over RabbitMQ', () => {
  itHandsOnTheRunningCall({ open, headersIn, withHeaders });

  it('leaves the options that the app sets itself as they are', async () => {
    const { caller } = await open();
    const headers = { 'X-Retry-Attempt': '9', trace: 't' };

    await caller.see('7', new RmqRecordBuilder({}).setOptions({ headers, expiration: 70_000 }).build());

    expect(headersIn(seen[0])).toMatchObject({ 'x-retry-attempt': '9', trace: 't', 'idempotency-key': 'order-7' });
    expect(propertiesIn(seen[0]).expiration).toBe('70000');
  });

  it('lets a message expire in the queue when its caller waits no more', async () => {
    const { caller } = await open();

    await caller.see('7');

    const expiration = Number(propertiesIn(seen[0]).expiration);
    expect(expiration).toBeGreaterThan(0);
    expect(expiration).toBeLessThanOrEqual(5_000);
  });
});
