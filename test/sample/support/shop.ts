import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { builtSample } from './built-sample.js';

const START_MS = 30_000;

export interface OrderView {
  readonly id: string;
  readonly totalCents: number;
  readonly payment: { readonly status: string };
}

export interface UpstreamView {
  readonly mode: string;
  readonly pid: number;
}

interface BreakerView {
  readonly name: string;
  readonly state: string;
}

export interface Answer<T = unknown> {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: T;
  /** How long it took, ms. */
  readonly took: number;
}

/** The sample as its users have it: a process of its own, spoken to over HTTP. */
export class Shop {
  #log = '';

  private constructor(
    readonly process: ChildProcess,
    private readonly started: Promise<string>,
    public url = '',
  ) {}

  /** Everything that it has written, standard error included. */
  get log(): string {
    return this.#log;
  }

  static async start(env: Readonly<Record<string, string>>): Promise<Shop> {
    const child = spawn(process.execPath, [await builtSample()], {
      env: { ...process.env, PORT: '0', NO_COLOR: '1', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let announce: (url: string) => void = () => undefined;
    const shop = new Shop(child, new Promise((resolve) => (announce = resolve)));
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        shop.#log += text;
        const url = /The shop is open at (\S+);/.exec(shop.#log)?.[1];
        if (url !== undefined) announce(url);
      });
    }
    const ended = once(child, 'exit', { signal: AbortSignal.timeout(START_MS) });
    await Promise.race([shop.started, ended.then(() => Promise.reject(new Error(`it did not start:\n${shop.log}`)))]);
    shop.url = await shop.started;
    return shop;
  }

  /** As Ctrl-C does. @returns the signal that ended it, or its exit code. */
  async stop(): Promise<unknown> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return undefined;
    this.process.kill('SIGINT');
    const [code, signal] = await once(this.process, 'exit');
    return signal ?? code;
  }

  get<T>(path: string): Promise<Answer<T>> {
    return this.#request(path, {});
  }

  post<T>(path: string, body: unknown = {}): Promise<Answer<T>> {
    return this.#request(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  }

  /** Orders a teapot. */
  order(): Promise<Answer<OrderView>> {
    return this.post('/orders', { items: [{ sku: 'TEAPOT', quantity: 1 }] });
  }

  upstream(mode: string): Promise<Answer<UpstreamView>> {
    return this.post('/upstream', { mode });
  }

  /** The state of a breaker. */
  async breaker(name: string): Promise<string | undefined> {
    const { body } = await this.get<BreakerView[]>('/breakers');
    return body.find((breaker) => breaker.name === name)?.state;
  }

  async #request<T>(path: string, init: RequestInit): Promise<Answer<T>> {
    const start = performance.now();
    const response = await fetch(this.url + path, init);
    const text = await response.text();
    const took = performance.now() - start;
    return { status: response.status, headers: response.headers, text, body: JSON.parse(text) as T, took };
  }
}
