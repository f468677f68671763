import { GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import axios from 'axios';
import got from 'got';
import ky from 'ky';
import { Agent, fetch as undiciFetch, interceptors, request, RetryAgent } from 'undici';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { retryAfterOf } from '../../lib/kernel/retry-after.ts';
import { HttpServer } from './support/http-server.mjs';
import { errorOf, NOBODY, outcomes } from './support/outcomes.mjs';

let server;
const at = (path) => `${server.url}/${path}`;
const nobody = `http://127.0.0.1:${NOBODY}`;

const throwing = new Agent().compose(interceptors.responseError());
const retrying = new RetryAgent(new Agent(), { maxRetries: 0 });
const once = { retry: { limit: 0 } };

/** A call of the AWS SDK, answered with an error of this name. */
async function aws(path, name, signal) {
  const client = new SQSClient({
    endpoint: path === undefined ? nobody : at(path),
    region: 'nowhere',
    maxAttempts: 1,
    credentials: { accessKeyId: 'id', secretAccessKey: 'key' },
    useQueueUrlAsEndpoint: false,
  });
  server.body =
    name === undefined ? '<html>' : JSON.stringify({ __type: `com.amazonaws.sqs#${name}`, message: 'said' });
  await client.send(new GetQueueAttributesCommand({ QueueUrl: at('queue') }), { abortSignal: signal });
}

beforeAll(async () => {
  server = await HttpServer.start();
});

afterAll(() => server.stop());

describe('the error of an HTTP client', () => {
  outcomes([
    ['fetch', 'a caller who leaves', 'aborted', (signal) => fetch(at('hang'), { signal })],
    ['fetch', 'a cut connection', 'failure', () => fetch(at('cut'))],
    ['fetch', 'nobody there', 'failure', () => fetch(nobody)],
    ['undici', 'a caller who leaves a fetch', 'aborted', (signal) => undiciFetch(at('hang'), { signal })],
    ['undici', 'a caller who leaves a request', 'aborted', (signal) => request(at('hang'), { signal })],
    ['undici', 'a cut connection', 'failure', () => request(at('cut'))],
    ['undici', 'headers that come too late', 'failure', () => request(at('hang'), { headersTimeout: 100 })],
    ['undici', '503 that throws', 'failure', () => request(at('503'), { dispatcher: throwing })],
    ['undici', '429 that throws', 'failure', () => request(at('429'), { dispatcher: throwing })],
    ['undici', '404 that throws', 'answered', () => request(at('404'), { dispatcher: throwing })],
    ['undici', '503 at the last retry', 'failure', () => request(at('503'), { dispatcher: retrying })],
    ['axios', '503', 'failure', () => axios.get(at('503'))],
    ['axios', '404', 'answered', () => axios.get(at('404'))],
    ['axios', 'its own timeout', 'failure', () => axios.get(at('hang'), { timeout: 50 })],
    ['axios', 'a cut connection', 'failure', () => axios.get(at('cut'))],
    ['axios', 'nobody there', 'failure', () => axios.get(nobody)],
    ['axios', 'a caller who leaves', 'aborted', (signal) => axios.get(at('hang'), { signal })],
    [
      'axios',
      'a caller who leaves its fetch',
      'aborted',
      (signal) => axios.get(at('hang'), { signal, adapter: 'fetch' }),
    ],
    ['got', '503', 'failure', () => got(at('503'), once)],
    ['got', '404', 'answered', () => got(at('404'), once)],
    ['got', 'its own timeout', 'failure', () => got(at('hang'), { ...once, timeout: { request: 50 } })],
    ['got', 'a cut connection', 'failure', () => got(at('cut'), once)],
    ['got', 'no JSON', 'failure', () => ((server.body = '<html>'), got(at('200'), once).json())],
    ['got', 'a caller who leaves', 'aborted', (signal) => got(at('hang'), { ...once, signal })],
    ['ky', '503', 'failure', () => ky(at('503'), { retry: 0 })],
    ['ky', '404', 'answered', () => ky(at('404'), { retry: 0 })],
    ['ky', 'its own timeout', 'failure', () => ky(at('hang'), { retry: 0, timeout: 50 })],
    ['ky', 'a caller who leaves', 'aborted', (signal) => ky(at('hang'), { retry: 0, signal })],
    ['AWS SDK', 'a queue that is not there', 'answered', () => aws('400', 'QueueDoesNotExist')],
    ['AWS SDK', 'no right to it', 'answered', () => aws('403', 'AccessDenied')],
    ['AWS SDK', 'a throttled request, with 400', 'failure', () => aws('400', 'ThrottlingException')],
    ['AWS SDK', 'a throttled request of SQS, with 403', 'failure', () => aws('403', 'RequestThrottled')],
    ['AWS SDK', 'a server that is down', 'failure', () => aws('503', 'ServiceUnavailable')],
    ['AWS SDK', 'a page of a proxy', 'failure', () => aws('502')],
    ['AWS SDK', 'a cut connection', 'failure', () => aws('cut')],
    ['AWS SDK', 'nobody there', 'failure', () => aws()],
    ['AWS SDK', 'a caller who leaves', 'aborted', (signal) => aws('hang', undefined, signal)],
  ]);
});

describe('Retry-After', () => {
  const NOW = Date.parse('2030-01-01T00:00:00Z');

  it.each([
    ['undici', () => request(at('503'), { dispatcher: throwing })],
    ["undici's last retry", () => request(at('503'), { dispatcher: retrying })],
    ['axios', () => axios.get(at('503'))],
    ["axios' fetch", () => axios.get(at('503'), { adapter: 'fetch' })],
    ['got', () => got(at('503'), once)],
    ['ky', () => ky(at('503'), { retry: 0 })],
    ['the AWS SDK', () => aws('503', 'ServiceUnavailable')],
    ['a throttled request of the AWS SDK', () => aws('400', 'ThrottlingException')],
  ])('is read from the error of %s, in seconds and as a date', async (_client, work) => {
    server.retryAfter = '7';
    const seconds = await errorOf(work);
    server.retryAfter = 'Tue, 01 Jan 2030 00:00:30 GMT';
    const date = await errorOf(work);

    expect(retryAfterOf(seconds, { wallNow: () => NOW })).toBe(7_000);
    expect(retryAfterOf(date, { wallNow: () => NOW })).toBe(30_000);
  });
});
