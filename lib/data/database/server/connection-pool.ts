import { DataUnavailableException } from '../../port/errors.js';
import { outsideCalls } from '../../port/outside-calls.js';
import type { ServerConnection } from './server-connection.js';

/** How long, in ms, a query whose caller is gone may go on before its connection is given up. */
const ABANDONED_MS = 1_000;
/** A connection that was idle for longer, in ms, is not trusted to have survived the firewalls on its way. */
const LONGEST_IDLE_MS = 60_000;

/** Opens a connection, or fails within a bound. */
export type Connect = (onLost: (connection: ServerConnection) => void) => Promise<ServerConnection>;

interface Waiter {
  resolve(connection: ServerConnection): void;
  reject(error: unknown): void;
}

/**
 * Connections that are opened when there is work, handed on from one query to the next, and replaced when they are
 * lost. The pools of the drivers do not end a wait, or a query, when a signal says so, and keep what a time-out has
 * shown to lead nowhere.
 */
export class ConnectionPool {
  /** The last one used comes last. */
  #idle: { readonly connection: ServerConnection; readonly since: number }[] = [];
  readonly #inUse = new Set<ServerConnection>();
  readonly #waiting = new Set<Waiter>();
  #connecting = 0;
  #closed = false;

  constructor(
    private readonly size: number,
    private readonly connect: Connect,
  ) {}

  /** Runs work on a connection; it ends soon after the signal has aborted, if need be with the connection. */
  async use<T>(signal: AbortSignal, work: (connection: ServerConnection) => Promise<T>): Promise<T> {
    // An abort that has been is not told again, and work under such a signal would know no bound.
    signal.throwIfAborted();
    const connection = await this.#take(signal);
    let giveUp: NodeJS.Timeout | undefined;
    const onAbort = (): void => {
      // Whoever has waited for the whole time limit waits no longer.
      const patience = signal.reason instanceof DataUnavailableException ? 0 : ABANDONED_MS;
      giveUp = setTimeout(() => this.#giveUp(connection), patience);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      signal.throwIfAborted();
      return await work(connection);
    } finally {
      clearTimeout(giveUp);
      signal.removeEventListener('abort', onAbort);
      this.#giveBack(connection);
    }
  }

  /** Ends all that are idle, where one of them was found to lead to the wrong place, or nowhere. */
  dropIdle(): void {
    for (const { connection } of this.#idle.splice(0)) connection.destroy();
  }

  /** Ends all connections in order; nothing may be under way. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const connection of this.#inUse) connection.destroy();
    await Promise.all(this.#idle.splice(0).map(({ connection }) => connection.end()));
  }

  #take(signal: AbortSignal): Promise<ServerConnection> {
    this.#dropStale();
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      if (!idle.connection.isLost) return Promise.resolve(this.#handOut(idle.connection));
    }
    return new Promise((resolve, reject) => {
      const onAbort = (): void => waiter.reject(signal.reason);
      const settle = (): void => {
        this.#waiting.delete(waiter);
        signal.removeEventListener('abort', onAbort);
      };
      const waiter: Waiter = {
        resolve: (connection) => (settle(), resolve(connection)),
        reject: (error) => (settle(), reject(error)),
      };
      this.#waiting.add(waiter);
      signal.addEventListener('abort', onAbort, { once: true });
      this.#grow();
    });
  }

  #handOut(connection: ServerConnection): ServerConnection {
    this.#inUse.add(connection);
    connection.keepAlive(true);
    return connection;
  }

  /** As many connections on the way as there are callers waiting, if there is room. */
  #grow(): void {
    while (this.#connecting < this.#waiting.size && this.#connecting + this.#inUse.size < this.size) {
      this.#connecting += 1;
      outsideCalls(() => this.connect((connection) => this.#onLost(connection))).then(
        (connection) => {
          this.#connecting -= 1;
          this.#offer(connection);
        },
        (error: unknown) => {
          this.#connecting -= 1;
          this.#onRefused(error);
        },
      );
    }
  }

  #offer(connection: ServerConnection): void {
    const [waiter] = this.#waiting;
    if (this.#closed) return connection.destroy();
    if (connection.isLost) return this.#grow();
    if (waiter !== undefined) return waiter.resolve(this.#handOut(connection));
    connection.keepAlive(false);
    this.#idle.push({ connection, since: performance.now() });
  }

  /** Those who wait can still be served by a connection that is in use; with none of them there is no hope. */
  #onRefused(error: unknown): void {
    if (this.#inUse.size > 0 || this.#connecting > 0) return;
    for (const waiter of this.#waiting) waiter.reject(error);
  }

  #giveBack(connection: ServerConnection): void {
    if (this.#inUse.delete(connection)) this.#offer(connection);
  }

  #giveUp(connection: ServerConnection): void {
    connection.destroy();
    this.dropIdle();
  }

  #onLost(connection: ServerConnection): void {
    this.#idle = this.#idle.filter((idle) => idle.connection !== connection);
  }

  #dropStale(): void {
    const oldest = performance.now() - LONGEST_IDLE_MS;
    while (this.#idle[0] !== undefined && this.#idle[0].since < oldest) this.#idle.shift()?.connection.destroy();
  }
}
