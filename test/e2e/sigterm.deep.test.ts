import { request as httpRequest, type IncomingMessage } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { compileScene } from './support/compiled-scene.js';
import { SteadyClients } from './support/steady-clients.js';
import { ToldProcess } from './support/told-process.js';
import { GatewayClient } from './support/web-socket.js';
import type { SigtermReport } from './sigterm.scene.js';

const DELAY_MS = 300;
const GRACE_MS = 5_000;
/** The process of the app begins its delay a little after the signal that ours has sent, and its timers never early by more. */
const ROUNDING_MS = 2;
/** Of each platform; `DRAIN_RUNS=20` shows more, with their figures. */
const RUNS = Number(process.env['DRAIN_RUNS'] ?? 2);

const scene = compileScene('sigterm');
afterAll(scene.remove);

async function start(platform: string, delay = DELAY_MS, grace = GRACE_MS): Promise<ToldProcess<SigtermReport>> {
  const app = await ToldProcess.start<SigtermReport>(scene.file, platform, String(delay), String(grace));
  onTestFinished(() => app.kill());
  return app;
}

interface Run {
  readonly accepted: number;
  /** What was accepted, and has got something else than its answer. */
  readonly lost: readonly string[];
  /** What came later, on connections that were there: answered, or told to go elsewhere. */
  readonly late: Readonly<Record<string, number>>;
  readonly notSeen: Readonly<Record<string, number>>;
  readonly waited: number;
  readonly tookMs: number;
  readonly signal: unknown;
}

/**
 * Ends an app under load. Accepted is each request that the app has seen come before its delay was over; a client that finds
 * nobody who listens has a request that never came.
 */
async function run(platform: string): Promise<Run> {
  const app = await start(platform);
  const clients = new SteadyClients(app.port, platform === 'http2' ? 'http2' : 'http1');
  clients.start(500);
  await wait(700);
  const { signal, tookMs, report } = await app.end();
  await clients.stop();
  if (report === undefined) throw new Error('the app has not come to its last hook');

  const { came, signalledAt, waited } = report;
  const lost: string[] = [];
  const late: Record<string, number> = {};
  const notSeen: Record<string, number> = {};
  let accepted = 0;
  for (const [id, outcome] of clients.outcomes) {
    const at = came[id];
    if (at === undefined) notSeen[outcome] = (notSeen[outcome] ?? 0) + 1;
    else if (at - signalledAt >= DELAY_MS - ROUNDING_MS) late[outcome] = (late[outcome] ?? 0) + 1;
    else {
      accepted++;
      if (outcome !== '200') lost.push(outcome);
    }
  }
  return { accepted, lost, late, notSeen, waited, tookMs, signal };
}

describe.each(['express', 'fastify', 'http2'])('SIGTERM at 500 requests a second, on %s', (platform) => {
  it.each(Array.from({ length: RUNS }, (_, n) => n + 1))(
    'leaves nothing unanswered that was accepted, run %s',
    { timeout: 60_000 },
    async () => {
      const result = await run(platform);
      if (process.env['DRAIN_RUNS'] !== undefined) process.stderr.write(`${platform} ${JSON.stringify(result)}\n`);

      expect(result.lost).toEqual([]);
      expect(result.accepted).toBeGreaterThan(100);
      expect(result.waited).toBeGreaterThan(0);
      // What came later was answered, or was told to go elsewhere; no connection was cut on which something had come.
      expect(Object.keys(result.late).filter((outcome) => !['200', '503 SHUTDOWN'].includes(outcome))).toEqual([]);
      expect(Object.keys(result.notSeen).filter((outcome) => outcome.startsWith('lost'))).toEqual([]);
      expect(result.signal).toBe('SIGTERM');
      expect(result.tookMs).toBeLessThan(DELAY_MS + GRACE_MS + 1_000);
    },
  );

  it('ends within delay + grace + 1 s although a request hangs', { retry: 2 }, async () => {
    const app = await start(platform, 100, 400);
    const clients = new SteadyClients(app.port, platform === 'http2' ? 'http2' : 'http1');
    const answer = clients.ask('/hang');
    await wait(200);

    const { signal, tookMs } = await app.end();

    expect(await answer).not.toBe('200');
    expect(signal).toBe('SIGTERM');
    expect(tookMs).toBeGreaterThan(500);
    expect(tookMs).toBeLessThan(1_500);
    await clients.stop();
  });
});

describe.each(['express', 'fastify'])('SIGTERM, on %s', (platform) => {
  it('lets a stream of events go on for the grace, and then ends it as a whole', async () => {
    const app = await start(platform, 100, 400);
    const response = await new Promise<IncomingMessage>((resolve) => {
      httpRequest({ port: app.port, host: '127.0.0.1', path: '/events' }, resolve).end();
    });
    const since = performance.now();
    let text = '';
    const ended = new Promise<[how: string, afterMs: number]>((resolve) => {
      const over = (how: string) => (): void => resolve([how, performance.now() - since]);
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', over('end')).on('error', over('reset'));
    });
    await wait(100);

    const { report } = await app.end();

    const [how, afterMs] = await ended;
    expect(how).toBe('end');
    expect(afterMs).toBeGreaterThan(500);
    expect(text).toContain('data: 5');
    expect(report?.streams).toBe(0);
  });

  it('serves a WebSocket until all requests are answered, waits for none, and closes it with the app', async () => {
    const app = await start(platform, 600, GRACE_MS);
    const socket = await GatewayClient.connect(`http://127.0.0.1:${app.port}/ws`);
    const closed = socket.closed();
    const ending = app.end();
    await wait(100);

    expect(await socket.ask('find', '')).toEqual({ event: 'found', data: 'fine' });

    await closed;
    expect((await ending).tookMs).toBeLessThan(GRACE_MS);
  });
});
