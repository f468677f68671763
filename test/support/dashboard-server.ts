import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import type { DashboardState, InstanceRow, Sample } from '../../lib/observability/dashboard/protocol.js';

/** What the server answers; a text is no JSON. */
export interface Answer {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
}

/** An instance as tests write it: what they do not say is as in an app without calls. */
export interface Instance {
  readonly name: string;
  readonly state?: Sample[1];
  readonly calls?: number;
  readonly failures?: number;
  readonly refused?: number;
  readonly p95?: number;
  readonly inFlight?: number;
  readonly waiting?: number;
  readonly keysNotClosed?: number;
}

/** What a dashboard says. */
export function dashboardState(instances: readonly Instance[], more: Partial<DashboardState> = {}): DashboardState {
  const rows = instances.map(({ name }): InstanceRow => ({ name, guards: [`Shop.${name}`], policies: ['timeout'] }));
  const samples = instances.map((one, index): Sample => {
    const { state = null, calls = 0, failures = 0, refused = 0, p95 = null, inFlight = 0, waiting = 0 } = one;
    const ratio = state === null ? null : 0;
    return [index, state, calls, failures, refused, 0, p95, p95, p95, inFlight, waiting, ratio, one.keysNotClosed ?? 0];
  });
  return {
    process: { id: 'a', host: 'shop-1', pid: 4_711, version: '1.2.3', startedAt: 0 },
    now: 3_600_000,
    canAct: false,
    fleet: false,
    draining: false,
    instances: rows,
    samples,
    timeline: [],
    ingress: null,
    ...more,
  };
}

/** A server that speaks as the dashboard does at `/resilience`, for as long as a test runs. @returns the page's address. */
export async function dashboardServer(answer: (request: IncomingMessage) => Answer): Promise<string> {
  const server = createServer((request, response) => {
    const {
      status = 200,
      headers = {},
      body,
    } = request.url?.startsWith('/resilience/api/state') === true ? answer(request) : { status: 404 };
    const isText = typeof body === 'string';
    response.writeHead(status, { 'content-type': isText ? 'text/html' : 'application/json', ...headers });
    response.end(isText ? body : JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/resilience`;
}
