import { NatsRecordBuilder, Transport, type NatsContext } from '@nestjs/microservices';
import { headers as natsHeaders, type MsgHdrs } from '@nats-io/transport-node';
import { describe, expect, it } from 'vitest';
import { natsBroker } from '../../support/servers/brokers.js';
import { itHoldsOnHandlers } from './support/handlers.js';
import { expectError, openMicroservice, seen, type ModuleOptions } from './support/microservice.js';
import { itHandsOnTheRunningCall } from './support/running-call.js';

const { url, missing } = await natsBroker();

function open(forRoot?: ModuleOptions, headers?: Record<string, string>) {
  const options = { servers: [url.host], ...(headers === undefined ? {} : { headers }) };
  return openMicroservice({ transport: Transport.NATS, options }, forRoot);
}

function headersIn(context: unknown): Record<string, unknown> {
  const headers = (context as NatsContext).getHeaders() as MsgHdrs | undefined;
  return Object.fromEntries((headers?.keys() ?? []).map((name) => [name.toLowerCase(), headers?.get(name)]));
}

function withHeaders(headers: Record<string, string>): unknown {
  const all = natsHeaders();
  for (const [name, value] of Object.entries(headers)) all.set(name, value);
  return new NatsRecordBuilder({}).setHeaders(all).build();
}

describe.skipIf(missing !== undefined)('a handler of a microservice over NATS', () => {
  itHoldsOnHandlers({ open, expectError });
});

describe.skipIf(missing !== undefined)('the running call, over NATS', () => {
  itHandsOnTheRunningCall({ open, headersIn, withHeaders });

  it('leaves the headers that the app sets itself as they are', async () => {
    const { caller } = await open({}, { tenant: 'a' });
    const own = withHeaders({ 'X-Retry-Attempt': '9', trace: 't' });

    await caller.see('7', own);
    await caller.see('8', own);

    expect(seen.map(headersIn)).toMatchObject([
      { 'x-retry-attempt': '9', trace: 't', tenant: 'a', 'idempotency-key': 'order-7' },
      { 'x-retry-attempt': '9', trace: 't', tenant: 'a', 'idempotency-key': 'order-8' },
    ]);
  });
});
