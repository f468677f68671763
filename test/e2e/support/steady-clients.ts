import { Agent, request as httpRequest } from 'node:http';
import { connect, type ClientHttp2Session } from 'node:http2';
import { setTimeout as wait } from 'node:timers/promises';

/** What became of a request: a status, with the code in its body if it is an error's, or what came instead of an answer. */
export type Outcome = string;

/** Sends requests to a port and reuses connections; `ask` never rejects. */
interface Sender {
  ask(path: string): Promise<Outcome>;
  close(): void;
}

/** Over HTTP/1.1, with keep-alive. */
function byHttp1(port: number): Sender {
  const agent = new Agent({ keepAlive: true, maxSockets: 100 });
  return {
    ask: (path) =>
      new Promise((resolve) => {
        const request = httpRequest({ port, host: '127.0.0.1', path, agent }, (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
          response.on('end', () => resolve(outcomeOf(response.statusCode, text)));
          response.on('error', () => resolve('broken off'));
        });
        request.on('error', (error: NodeJS.ErrnoException) =>
          resolve(request.reusedSocket ? `lost on a kept connection: ${error.code}` : (error.code ?? error.message)),
        );
        request.end();
      }),
    close: () => agent.destroy(),
  };
}

/** Over HTTP/2, on one session until its server says to leave. */
function byHttp2(port: number): Sender {
  let session: ClientHttp2Session | undefined;
  const sessions: ClientHttp2Session[] = [];
  const open = (): ClientHttp2Session => {
    if (session !== undefined && !session.closed && !session.destroyed) return session;
    session = connect(`http://127.0.0.1:${port}`);
    session.on('error', () => undefined);
    sessions.push(session);
    return session;
  };
  return {
    ask: (path) =>
      new Promise((resolve) => {
        const stream = open().request({ ':path': path });
        let status: number | undefined;
        let text = '';
        stream.on('response', (headers) => (status = headers[':status']));
        stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        stream.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
        stream.on('close', () => resolve(status === undefined ? 'no answer' : outcomeOf(status, text)));
        stream.end();
      }),
    close: () => {
      for (const one of sessions) one.destroy();
    },
  };
}

function outcomeOf(status: number | undefined, body: string): Outcome {
  const code = /"errorCode":"(\w+)"/.exec(body)?.[1];
  return code === undefined ? String(status) : `${status} ${code}`;
}

/** Many clients that send so many requests a second, in bursts, whatever becomes of them. */
export class SteadyClients {
  readonly outcomes = new Map<string, Outcome>();
  readonly #sender: Sender;
  readonly #asked: Promise<void>[] = [];
  #stopped = false;
  #running: Promise<void> | undefined;

  constructor(port: number, protocol: 'http1' | 'http2') {
    this.#sender = protocol === 'http1' ? byHttp1(port) : byHttp2(port);
  }

  start(perSecond: number, burstEveryMs = 50): void {
    const since = performance.now();
    let sent = 0;
    const send = async (): Promise<void> => {
      while (!this.#stopped) {
        const due = ((performance.now() - since) / 1_000) * perSecond;
        // After a stall of this process it does not send all at once what it has missed.
        if (due - sent > perSecond / 5) sent = Math.floor(due - perSecond / 20);
        for (; sent < due; sent++) this.#ask(String(this.#asked.length));
        await wait(burstEveryMs);
      }
    };
    this.#running = send();
  }

  ask(path: string): Promise<Outcome> {
    return this.#sender.ask(path);
  }

  #ask(id: string): void {
    this.#asked.push(this.ask(`/find/${id}`).then((outcome) => void this.outcomes.set(id, outcome)));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
    await Promise.all(this.#asked);
    this.#sender.close();
  }
}
