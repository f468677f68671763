import { lookup } from 'node:dns/promises';
import { isIPv6 } from 'node:net';
import type { Clock } from '../../../kernel/clock.js';
import type { EndpointSource } from './endpoint-source.js';

/** How long an answer is taken for true, ms. */
const FRESH_MS = 5_000;

/** The addresses of a name, as texts. */
export type Resolve = (host: string) => Promise<readonly string[]>;

const lookUp: Resolve = async (host) => (await lookup(host, { all: true })).map(({ address }) => address);

/**
 * All addresses of a name of DNS, with one port. It is asked anew when somebody wants an address and the last answer is
 * old, and nobody waits for that; where it cannot be asked, the last answer stands.
 */
export class DnsEndpoints implements EndpointSource {
  #addresses: readonly string[] = [];
  #askedAt = -Infinity;
  #asking: Promise<void> | undefined;

  constructor(
    private readonly host: string,
    private readonly port: number,
    private readonly clock: Pick<Clock, 'now'>,
    private readonly resolve: Resolve = lookUp,
  ) {}

  addresses(): readonly string[] {
    void this.#refresh();
    return this.#addresses;
  }

  async ready(): Promise<void> {
    await this.#refresh();
  }

  close(): void {
    // Nothing is open.
  }

  #refresh(): Promise<void> | undefined {
    const now = this.clock.now();
    if (this.#asking === undefined && now - this.#askedAt >= FRESH_MS) {
      this.#askedAt = now;
      this.#asking = this.#ask();
    }
    return this.#asking;
  }

  async #ask(): Promise<void> {
    try {
      const found = await this.resolve(this.host);
      const withPort = found.map((address) => `${isIPv6(address) ? `[${address}]` : address}:${this.port}`);
      if (withPort.length > 0) this.#addresses = [...new Set(withPort)].sort();
    } catch {
      // The next one who wants an address after a while asks again.
    } finally {
      this.#asking = undefined;
    }
  }
}
