import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ResilienceEtcdOptions } from '../../../../lib/cluster/etcd/etcd.options.js';
import type { CircuitBreakerOptions } from '../../../../lib/policies/circuit-breaker/circuit-breaker.options.js';
import type { StateChangeEvent, StoreEvent } from '../../../../lib/events/resilience-event.js';

const SCRIPT = new URL('advised-member.mjs', import.meta.url).pathname;

/** What a member says of itself. */
export interface MemberAnswer {
  state: string;
  calls: number;
  /** How often callers got each error, by its text. */
  errors: Record<string, number>;
  /** Microseconds of a core. */
  cpu: { user: number; system: number };
  uptime: number;
}

/** An upstream that all members call, and that answers 503 while it is told to. */
export class Upstream {
  fails = false;
  /** When each call came, by `performance.now()`. */
  readonly calls: number[] = [];
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((_, response) => {
      this.calls.push(performance.now());
      response.statusCode = this.fails ? 503 : 200;
      response.end('done');
    });
  }

  static async create(): Promise<Upstream> {
    const upstream = new Upstream();
    upstream.#server.listen(0, '127.0.0.1');
    await once(upstream.#server, 'listening');
    return upstream;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

/** One process of the fleet. */
export class Member {
  /** Its changes of state, with the moment at which they were heard of here. */
  readonly changes: (StateChangeEvent & { heardAt: number })[] = [];
  readonly store: StoreEvent[] = [];
  #answer: ((answer: MemberAnswer) => void) | undefined;

  private constructor(private readonly child: ChildProcess) {
    child.on('message', (message: { type: string }) => {
      if (message.type === 'stateChange')
        this.changes.push({ ...(message as StateChangeEvent), heardAt: performance.now() });
      if (message.type === 'store') this.store.push(message as StoreEvent);
      if (message.type === 'answer') this.#answer?.(message as unknown as MemberAnswer);
    });
  }

  static async create(given: {
    library: string;
    etcd: Partial<ResilienceEtcdOptions> & Pick<ResilienceEtcdOptions, 'hosts'>;
    circuitBreaker: CircuitBreakerOptions;
    upstream: string;
    everyMs: number;
    /** How wrong its clock is. */
    skewMs?: number;
  }): Promise<Member> {
    const child = fork(SCRIPT, [JSON.stringify(given)]);
    const member = new Member(child);
    await new Promise<void>((resolve, reject) => {
      child.once('exit', (code) => reject(new Error(`a member has ended with ${code}`)));
      child.on('message', ({ type }: { type: string }) => type === 'ready' && resolve());
    });
    return member;
  }

  ask(): Promise<MemberAnswer> {
    const answer = new Promise<MemberAnswer>((resolve) => (this.#answer = resolve));
    this.child.send({ ask: true });
    return answer;
  }

  tell(message: { isCutOff?: boolean; pause?: number }): void {
    this.child.send(message);
  }

  /** When it entered a state for the first time after `since`. */
  enteredAt(state: string, since = 0): number | undefined {
    return this.changes.find(({ to, heardAt }) => to === state && heardAt >= since)?.heardAt;
  }

  async close(): Promise<void> {
    const ended = once(this.child, 'exit');
    this.child.send({ end: true });
    await ended;
  }
}
