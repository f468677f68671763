import { Socket } from 'node:net';
import type { Answer } from '../database-backend.js';

/** A silent peer is found out after about that long, ms, while nobody asks it anything. */
const KEEP_ALIVE_DELAY_MS = 30_000;
/** How long, in ms, a server may take to close a connection that was said goodbye to. */
const GOODBYE_MS = 1_000;

/** The socket that a driver is given, so that what becomes of it can be seen and decided here. */
export function serverSocket(): Socket {
  // A driver that has let go of its socket may leave it without a listener.
  return new Socket().setNoDelay(true).setKeepAlive(true, KEEP_ALIVE_DELAY_MS).on('error', ignore);
}

/** What one driver's connection does. */
export interface DriverConnection {
  query(sql: string, parameters: readonly unknown[]): Promise<Answer<unknown>>;
  /** Tells the server that it is over. */
  sayGoodbye(): void;
}

/** A connection to a server, which runs one query at a time. */
export class ServerConnection {
  #lost = false;

  /** @param onLost called once, when the connection is over, whoever ended it. */
  constructor(
    private readonly socket: Socket,
    private readonly driver: DriverConnection,
    onLost: (connection: ServerConnection) => void,
  ) {
    const lose = (): void => {
      if (this.#lost) return;
      this.#lost = true;
      onLost(this);
    };
    socket.once('end', lose).once('close', lose);
    if (socket.destroyed || socket.readableEnded) lose();
  }

  /** Known to be over: what would be asked now could not be sent. */
  get isLost(): boolean {
    // The event of its end comes a turn later.
    return this.#lost || this.socket.destroyed;
  }

  query(sql: string, parameters: readonly unknown[]): Promise<Answer<unknown>> {
    return this.driver.query(sql, parameters);
  }

  /** Whether the connection keeps the process alive. */
  keepAlive(needed: boolean): void {
    // One without a handle would do it once it is connected, and listen for that.
    if (this.socket.destroyed) return;
    if (needed) this.socket.ref();
    else this.socket.unref();
  }

  /** Ends it in order, or, where the server does not follow, at once. */
  async end(): Promise<void> {
    if (this.socket.destroyed) return;
    const closed = new Promise<void>((resolve) => this.socket.once('close', () => resolve()));
    this.socket.ref();
    const timer = setTimeout(() => this.socket.destroy(), GOODBYE_MS);
    this.driver.sayGoodbye();
    await closed;
    clearTimeout(timer);
  }

  /** Ends it now; a query that runs rejects. */
  destroy(): void {
    this.socket.destroy();
  }
}

function ignore(): void {}
