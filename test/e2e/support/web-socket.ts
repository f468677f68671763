import { createRequire } from 'node:module';
import { onTestFinished } from 'vitest';

/** The part of `ws` that the tests use; it has no types of its own. */
interface Socket {
  send(text: string): void;
  close(): void;
  terminate(): void;
  on(event: 'open' | 'message' | 'error' | 'close', listener: (data: unknown) => void): void;
}

const { WebSocket } = createRequire(import.meta.url)('ws') as { WebSocket: new (url: string) => Socket };

export interface Message {
  event: string;
  data: unknown;
}

/** A client of a gateway under Nest's WsAdapter. */
export class GatewayClient {
  readonly received: Message[] = [];
  readonly #waiting: ((message: Message) => void)[] = [];

  private constructor(private readonly socket: Socket) {
    socket.on('message', (data) => {
      const message = JSON.parse(String(data)) as Message;
      this.received.push(message);
      this.#waiting.shift()?.(message);
    });
  }

  static async connect(httpUrl: string): Promise<GatewayClient> {
    const socket = new WebSocket(httpUrl.replace('http', 'ws'));
    const client = new GatewayClient(socket);
    await new Promise((resolve, reject) => {
      socket.on('open', resolve);
      socket.on('error', reject);
    });
    onTestFinished(() => socket.terminate());
    return client;
  }

  close(): void {
    this.socket.close();
  }

  /** Sends an event and gives the next message that comes. */
  ask(event: string, data: unknown = {}): Promise<Message> {
    const answer = new Promise<Message>((resolve) => this.#waiting.push(resolve));
    this.socket.send(JSON.stringify({ event, data }));
    return answer;
  }

  /** When the server has closed it. */
  closed(): Promise<void> {
    return new Promise((resolve) => this.socket.on('close', () => resolve()));
  }
}
