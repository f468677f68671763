import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/**
 * What the proxy does to traffic:
 * - `pass`: nothing;
 * - `reset`: it cuts each connection, new ones too;
 * - `blackHole`: it takes in what comes, from both sides, and passes nothing on;
 * - `halfOpen`: what the client sends arrives, and no answer comes back;
 * - `delay`: each piece comes `ms` later;
 * - `bandwidth`: so much passes in each direction of a connection.
 */
export type ProxyFault =
  | { readonly type: 'pass' | 'reset' | 'blackHole' | 'halfOpen' }
  | { readonly type: 'delay'; readonly ms: number }
  | { readonly type: 'bandwidth'; readonly bytesPerSecond: number };

/** A TCP proxy on the loopback interface that fails on demand. */
export class TcpProxy {
  readonly #server: Server;
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  #fault: ProxyFault = { type: 'pass' };

  private constructor(private readonly target: number) {
    this.#server = createServer((client) => this.#accept(client));
  }

  static async to(port: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(port);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** How many connections pass through it now. */
  get connections(): number {
    return this.#pairs.size;
  }

  /** Connections that a fault has swallowed bytes of are of no use afterwards, and are cut at its end. */
  set fault(fault: ProxyFault) {
    const before = this.#fault.type;
    this.#fault = fault;
    if (fault.type === 'reset' || before === 'blackHole' || before === 'halfOpen') this.#cut();
  }

  async close(): Promise<void> {
    this.#cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #accept(client: Socket): void {
    if (this.#fault.type === 'reset') return void client.resetAndDestroy();
    const upstream = connect(this.target, '127.0.0.1');
    const pair = [client, upstream] as const;
    this.#pairs.add(pair);
    this.#pass(client, upstream, false);
    this.#pass(upstream, client, true);
    const end = (): void => {
      this.#pairs.delete(pair);
      client.destroy();
      upstream.destroy();
    };
    for (const socket of pair) socket.setNoDelay(true).on('error', end).on('close', end);
  }

  #pass(from: Socket, to: Socket, isAnswer: boolean): void {
    // What came first arrives first, whatever the fault was then and is now.
    const onTheWay: Buffer[] = [];
    let arrival = 0;
    from.on('data', (bytes: Buffer) => {
      const fault = this.#fault;
      if (fault.type === 'blackHole' || (fault.type === 'halfOpen' && isAnswer)) return;
      const now = performance.now();
      arrival = Math.max(now, arrival);
      if (fault.type === 'delay') arrival = Math.max(arrival, now + fault.ms);
      if (fault.type === 'bandwidth') arrival += (bytes.length / fault.bytesPerSecond) * 1_000;
      if (arrival === now && onTheWay.length === 0) return void to.write(bytes);
      onTheWay.push(bytes);
      setTimeout(() => {
        const first = onTheWay.shift();
        if (first !== undefined && !to.destroyed) to.write(first);
      }, arrival - now);
    });
  }

  #cut(): void {
    for (const [client, upstream] of this.#pairs) {
      client.resetAndDestroy();
      upstream.destroy();
    }
    this.#pairs.clear();
  }
}
