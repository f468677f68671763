import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { builtSample } from './built-sample.js';

const START_MS = 60_000;

interface BreakerView {
  readonly name: string;
  readonly state: string;
}

/** Three shops as `npm run start:cluster` opens them, with servers of their own. */
export class Fleet {
  #log = '';

  private constructor(
    private readonly process: ChildProcess,
    private readonly folder: string,
    public urls: readonly string[] = [],
    public etcd = '',
  ) {}

  get log(): string {
    return this.#log;
  }

  static async start(port: number): Promise<Fleet> {
    const folder = dirname(await builtSample());
    const child = spawn(process.execPath, [join(folder, 'cluster/main.js')], {
      env: { ...process.env, PORT: String(port), NO_COLOR: '1', ETCD_HOSTS: undefined, REDIS_URL: undefined },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const fleet = new Fleet(child, folder);
    const opened = new Promise<void>((resolve) => {
      for (const stream of [child.stdout, child.stderr])
        stream.setEncoding('utf8').on('data', (text: string) => {
          fleet.#log += text;
          const urls = /Three shops are open: (.+)/.exec(fleet.#log)?.[1];
          const etcd = /--hosts (\S+)/.exec(fleet.#log)?.[1];
          if (urls === undefined || etcd === undefined) return;
          fleet.urls = urls.split('  ');
          fleet.etcd = etcd;
          resolve();
        });
    });
    const ended = once(child, 'exit', { signal: AbortSignal.timeout(START_MS) });
    await Promise.race([opened, ended.then(() => Promise.reject(new Error(`it did not start:\n${fleet.log}`)))]);
    return fleet;
  }

  /** As Ctrl-C does. */
  async stop(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    this.process.kill('SIGINT');
    await once(this.process, 'exit');
  }

  async post(path: string, body: unknown, url = this.urls[0] ?? ''): Promise<number> {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) });
    await response.arrayBuffer();
    return response.status;
  }

  /** Orders a teapot in each shop, so many times. */
  async orderEverywhere(times: number): Promise<void> {
    const body = { items: [{ sku: 'TEAPOT', quantity: 1 }] };
    await Promise.all(this.urls.flatMap((url) => Array.from({ length: times }, () => this.post('/orders', body, url))));
  }

  /** The state of one breaker in each shop. */
  states(name: string): Promise<(string | undefined)[]> {
    return Promise.all(
      this.urls.map(async (url) => {
        const list = (await (await fetch(`${url}/breakers`)).json()) as BreakerView[];
        return list.find((breaker) => breaker.name === name)?.state;
      }),
    );
  }

  /** What `plan()` of each shop says of one policy of a method. */
  plans(className: string, policy: string): Promise<(Readonly<Record<string, unknown>> | undefined)[]> {
    return Promise.all(
      this.urls.map(async (url) => {
        const plan = (await (await fetch(`${url}/plan`)).json()) as {
          className: string;
          policies: { policy: string; options: Record<string, unknown> }[];
        }[];
        return plan
          .find((entry) => entry.className === className)
          ?.policies.find((planned) => planned.policy === policy)?.options;
      }),
    );
  }

  putRules(rules: object): Promise<unknown> {
    return this.#run(join(this.folder, 'cluster/put-rules.js'), [this.etcd, JSON.stringify(rules)]);
  }

  /** Runs `nestjs-bulwark cluster`. */
  async command(...args: readonly string[]): Promise<string> {
    const main = join(this.folder, '../lib/cli/main.js');
    return this.#run(main, ['cluster', ...args, '--hosts', this.etcd, '--prefix', 'shop/']);
  }

  async #run(path: string, args: readonly string[]): Promise<string> {
    return (await promisify(execFile)(process.execPath, [path, ...args])).stdout;
  }
}
