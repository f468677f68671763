import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Injectable } from '@nestjs/common';
import { Bulkhead, ResilienceModule, Signal, Timeout } from 'nestjs-bulwark';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { initialise, never } from './support/harness.js';

const CALLS = 200;
const agent = new Agent({ keepAlive: true });

let upstream: ChildProcess;
let origin: string;

const viaFetch = async (url: string, signal?: AbortSignal): Promise<string> => {
  const response = await fetch(url, signal === undefined ? {} : { signal });
  return response.text();
};

const viaHttp = (url: string, signal?: AbortSignal): Promise<string> =>
  new Promise((resolve, reject) => {
    const request = get(url, { agent, signal }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve(text)).on('error', reject);
    });
    request.on('error', reject);
  });

@Injectable()
class Client {
  @Timeout(200)
  async perAttempt(load: typeof viaFetch, url: string, @Signal() signal?: AbortSignal): Promise<string> {
    return load(url, signal);
  }

  @Timeout({ total: 200 })
  async inAll(load: typeof viaFetch, url: string, @Signal() signal?: AbortSignal): Promise<string> {
    return load(url, signal);
  }

  @Timeout({ perAttempt: 200, total: 200 })
  @Bulkhead(CALLS)
  async both(load: typeof viaFetch, url: string, @Signal() signal?: AbortSignal): Promise<string> {
    return load(url, signal);
  }

  @Timeout(200)
  async hanging(): Promise<never> {
    return never();
  }
}

let folder: string;
let rounds = 0;

interface Round {
  /** How long it took until all requests had come upstream. */
  readonly sentWithin: number;
  /** How long the loop was blocked. */
  readonly blockedFor: number;
  readonly results: readonly PromiseSettledResult<string>[];
}

/** Makes the calls; once they are all upstream it blocks the loop until their answers wait in their sockets. */
async function blockedRound(call: (url: string) => Promise<string>, blockedMs: number): Promise<Round> {
  const round = `${++rounds}`;
  const done = join(folder, round);
  const begun = performance.now();
  let sentWithin = Infinity;
  let blockedFor = 0;
  const onMessage = (message: { round?: string }): void => {
    if (message.round !== round) return;
    sentWithin = performance.now() - begun;
    if (blockedMs > 0) blockUntil(blockedMs, () => existsSync(done));
    blockedFor = performance.now() - begun - sentWithin;
  };
  upstream.on('message', onMessage);
  const results = await Promise.allSettled(
    calls(() => call(`${origin}/?${new URLSearchParams({ round, done, of: `${CALLS}` }).toString()}`)),
  );
  upstream.off('message', onMessage);
  return { sentWithin, blockedFor, results };
}

/** A round whose requests were sent well within the limit and answered during the block; the first ones only warm connections and compiler up. */
async function roundInTime(load: typeof viaFetch, call: (url: string) => Promise<string>): Promise<Round> {
  for (let warmUp = 0; warmUp < 4; warmUp++) await blockedRound((url) => load(url, new AbortController().signal), 0);
  for (let attempt = 0; attempt < 20; attempt++) {
    const round = await blockedRound(call, 300);
    if (round.sentWithin < 120 && round.blockedFor < 2_000) return round;
  }
  throw new Error('this machine is too slow: the requests were never sent, or answered, in time');
}

/** Nothing else runs in this process for `ms` and until `holds`. */
function blockUntil(ms: number, holds: () => boolean): void {
  const end = performance.now() + ms;
  const cell = new Int32Array(new SharedArrayBuffer(4));
  while (performance.now() < end || (!holds() && performance.now() < end + 5_000)) Atomics.wait(cell, 0, 0, 5);
}

/** Waits for turns of the event loop. */
async function afterTurns(turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
}

const calls = <T>(make: () => Promise<T>): Promise<T>[] => Array.from({ length: CALLS }, make);

describe('200 calls with a limit of 200 ms, when the event loop is blocked for 300 ms', () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bulwark-blocked-'));
    upstream = fork(new URL('./support/upstream.mjs', import.meta.url), { execArgv: [] });
    const [{ port }] = (await once(upstream, 'message')) as [{ port: number }];
    origin = `http://127.0.0.1:${port}`;
  });

  afterAll(async () => {
    agent.destroy();
    upstream.disconnect();
    await rm(folder, { recursive: true, force: true });
  });

  const METHODS = ['perAttempt', 'inAll', 'both'] as const;
  const LOADS = [
    ['fetch', viaFetch],
    ['node:http', viaHttp],
  ] as const;

  describe.each(LOADS)('over %s', (_, load) => {
    it.each(METHODS)(
      'all succeed under %s, since their answers wait in their sockets',
      async (method) => {
        const { module } = await initialise({ imports: [ResilienceModule.forRoot()], providers: [Client] });
        const client = module.get(Client);

        const { results } = await roundInTime(load, (url) => client[method](load, url));

        const timedOut = results.filter(({ status }) => status === 'rejected').length;
        expect(timedOut).toBe(0);
      },
      60_000,
    );
  });

  it('succeed as well, when the loop is blocked again while it polls for a late timer', async () => {
    const { module } = await initialise({ imports: [ResilienceModule.forRoot()], providers: [Client] });
    const client = module.get(Client);
    const answers: unknown[] = [];

    for (let attempt = 0; attempt < 6; attempt++) {
      await afterTurns(5);
      const done = join(folder, `again-${attempt}`);
      const query = new URLSearchParams({ round: done, done, of: '1', after: '120' });
      // Its timer stays behind: it comes while the next call runs, and comes late.
      await client.perAttempt(async () => 'at once', '');
      const begun = performance.now();
      const sleepTo = (ms: number) => new Promise((resolve) => setTimeout(resolve, begun + ms - performance.now()));
      await sleepTo(120);
      const answer = client.perAttempt(viaHttp, `${origin}/?${query.toString()}`).catch((error: Error) => error.name);
      await sleepTo(180);
      blockUntil(begun + 220 - performance.now(), () => true);
      // The late timer comes before the next turn or after it; the answer comes while the turn after that is blocked.
      void afterTurns(2 + (attempt % 2)).then(() => blockUntil(300, () => existsSync(done)));
      answers.push(await answer);
    }

    expect(answers).toEqual(Array.from({ length: 6 }, () => 'answer'));
  });

  it('time out all the same, since nothing answers', async () => {
    const { module } = await initialise({ imports: [ResilienceModule.forRoot()], providers: [Client] });
    const client = module.get(Client);

    const pending = Promise.allSettled(calls(() => client.hanging()));
    blockUntil(300, () => true);

    const codes = (await pending).map(
      (result) => result.status === 'rejected' && (result.reason as { code: string }).code,
    );
    expect(new Set(codes)).toEqual(new Set(['TIMEOUT']));
  });
});
