import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { onTestFinished } from 'vitest';
import { builtExample } from '../../sample/support/built-sample.js';
import { freePort } from '../../support/servers/free-port.js';
import { until } from '../../support/until.js';

const START_MS = 60_000;

/** For a test: two that begin at the same time both build. */
export const TIMEOUT = 600_000;

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** JSON, or the text as it is. */
  readonly body: unknown;
}

/** An example as its README starts it: the built app, a process of its own. */
export class Example {
  log = '';
  readonly #exit: Promise<unknown[]>;

  private constructor(
    readonly process: ChildProcess,
    readonly port: number,
  ) {
    this.#exit = once(process, 'exit');
    for (const stream of [process.stdout, process.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => (this.log += text));
  }

  /**
   * Ends with the test.
   *
   * @param entry such as `http-client/main`.
   * @param listensAt the variable that says at which port; a free one where `env` does not have it.
   */
  static async start(entry: string, env: Readonly<Record<string, string>> = {}, listensAt = 'PORT'): Promise<Example> {
    const port = Number(env[listensAt] ?? (await freePort()));
    const example = new Example(
      spawn(process.execPath, [await builtExample(entry)], {
        env: { ...process.env, NO_COLOR: '1', ...env, [listensAt]: String(port) },
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
      port,
    );
    onTestFinished(async () => void (await example.stop('SIGKILL')));
    const started = async (): Promise<boolean> => {
      if (example.#ended) throw new Error(`${entry} did not start:\n${example.log}`);
      return answers(port);
    };
    await until(`${entry} has started`, started, START_MS);
    if (example.log.includes('silences this')) throw new Error(`a plan of ${entry} is doubtful:\n${example.log}`);
    return example;
  }

  get #ended(): boolean {
    return this.process.exitCode !== null || this.process.signalCode !== null;
  }

  /** @returns the signal that ended it, or its exit code. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<unknown> {
    if (!this.#ended) this.process.kill(signal);
    await this.#exit;
    return this.process.signalCode ?? this.process.exitCode;
  }

  async ask(path: string, init: RequestInit = {}): Promise<Answer> {
    const response = await fetch(`http://localhost:${this.port}${path}`, init);
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') === true;
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
  }

  send(method: 'POST' | 'PUT', path: string, body: unknown): Promise<Answer> {
    return this.ask(path, {
      method,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  }
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, 'localhost');
  const connected = await once(socket, 'connect').then(
    () => true,
    () => false,
  );
  socket.destroy();
  return connected;
}
