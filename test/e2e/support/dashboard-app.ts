import { randomUUID } from 'node:crypto';
import { Injectable, type ExecutionContext, type ModuleMetadata } from '@nestjs/common';
import {
  CircuitBreaker,
  Fallback,
  ResilienceModule,
  ResilienceService,
  Resilient,
  type ResilienceModuleOptions,
} from 'nestjs-bulwark';
import {
  ResilienceDashboardModule,
  type ActionRequest,
  type DashboardModuleExtras,
  type DashboardModuleOptions,
  type DashboardState,
} from 'nestjs-bulwark/dashboard';
import { start, type Running, type StartOptions } from './harness.js';

/** What the app guards. */
@Injectable()
export class Payments {
  @Resilient('payments')
  async charge(work: () => unknown): Promise<unknown> {
    return work();
  }

  @CircuitBreaker('tenants', { key: (tenant: string) => tenant })
  async ofTenant(_tenant: string, work: () => unknown): Promise<unknown> {
    return work();
  }

  @CircuitBreaker()
  @Fallback({ value: 'substitute' })
  async search(work: () => unknown): Promise<unknown> {
    return work();
  }
}

/** Lets in whoever says who it is. */
@Injectable()
export class StaffGuard {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest();
    const name = request.headers['x-user'];
    if (name !== undefined) request.user = { id: name };
    return name !== undefined;
  }
}

export const OPERATOR = { 'x-user': 'ann' };
export const SAME_ORIGIN = { 'sec-fetch-site': 'same-origin' };

export type DashboardOptions = DashboardModuleOptions & DashboardModuleExtras;

export interface DashboardApp extends Running {
  /** Of the page, without a slash behind it. */
  readonly page: string;
  readonly service: ResilienceService;
  readonly payments: Payments;
  state(headers?: Record<string, string>): Promise<DashboardState>;
}

export interface DashboardStart extends StartOptions {
  /** What the app puts before its routes. */
  readonly prefix?: string;
  readonly policies?: ResilienceModuleOptions['policies'];
  readonly providers?: ModuleMetadata['providers'];
  readonly controllers?: ModuleMetadata['controllers'];
  readonly imports?: ModuleMetadata['imports'];
}

/** An app with a page, whose staff may act. */
export async function startDashboard(
  options: DashboardOptions = { actionGuards: [StaffGuard] },
  { prefix = '', policies, providers = [], controllers = [], imports = [], ...more }: DashboardStart = {},
): Promise<DashboardApp> {
  const running = await start(
    {
      imports: [
        ResilienceModule.forRoot({
          policies: { payments: { circuitBreaker: { volumeThreshold: 2 }, retry: false, timeout: 1_000 }, ...policies },
          log: false,
        }),
        ResilienceDashboardModule.forRoot(options),
        ...imports,
      ],
      providers: [Payments, ...providers],
      controllers,
    },
    more,
  );
  const page = `${running.url}${prefix}${options.path ?? '/resilience'}`;
  return {
    ...running,
    page,
    service: running.app.get(ResilienceService),
    payments: running.app.get(Payments),
    state: async (headers = {}) => (await (await fetch(`${page}/api/state`, { headers })).json()) as DashboardState,
  };
}

/** An action as the page would send it. */
export function action(state: Pick<DashboardState, 'process'>, more: Partial<ActionRequest> = {}): ActionRequest {
  return {
    id: randomUUID(),
    process: state.process.id,
    instance: 'payments',
    action: 'forceOpen',
    seen: 'closed',
    ...more,
  };
}

export async function act(
  page: string,
  body: unknown,
  headers: Record<string, string> = { ...OPERATOR, ...SAME_ORIGIN },
): Promise<{ status: number; body: { code?: string; state?: string } }> {
  const response = await fetch(`${page}/api/actions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, body: text.startsWith('{') ? JSON.parse(text) : {} };
}

/** Messages of a stream, as they come. */
export interface Listening {
  readonly response: Response;
  readonly events: { event: string; data: unknown; bytes: number }[];
  /** Everything as it was sent. */
  text(): string;
  leave(): void;
  /** Resolves when the stream has ended. */
  readonly ended: Promise<void>;
}

export async function listen(page: string, headers: Record<string, string> = {}): Promise<Listening> {
  const abort = new AbortController();
  const response = await fetch(`${page}/api/stream`, { headers, signal: abort.signal });
  const events: Listening['events'] = [];
  let text = '';
  const read = async (): Promise<void> => {
    let rest = '';
    const decoder = new TextDecoder();
    for await (const bytes of response.body as unknown as AsyncIterable<Uint8Array>) {
      const chunk = decoder.decode(bytes, { stream: true });
      text += chunk;
      rest += chunk;
      const blocks = rest.split('\n\n');
      rest = blocks.pop() as string;
      for (const block of blocks) {
        const [, event, data] = /^event: (\w+)\ndata: (.*)$/.exec(block) ?? [];
        if (event !== undefined) events.push({ event, data: JSON.parse(data as string), bytes: block.length });
      }
    }
  };
  const ended = read().catch(() => undefined);
  return { response, events, text: () => text, leave: () => abort.abort(), ended };
}
