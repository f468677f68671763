import type {
  ClusterRateStore,
  OnStoreError,
  TokenGrant,
  TokenRequest,
} from '../../../../../lib/kernel/cluster-rate-store.js';
import type { Clock } from '../../../../../lib/kernel/clock.js';
import { settle } from '../../../../support/settle.js';

interface Asked extends TokenRequest {
  readonly resolve: (grant: TokenGrant) => void;
  readonly reject: (error: Error) => void;
}

/** A store that answers when the test says so, and with what it says. */
export class FakeStore implements ClusterRateStore {
  up = true;
  processes = 4;
  onStoreError: OnStoreError = 'local';
  readonly commandTimeout = 50;
  /** Everything that it was asked, in order. */
  readonly requests: TokenRequest[] = [];
  readonly #open: Asked[] = [];

  take(request: TokenRequest): Promise<TokenGrant> {
    this.requests.push(request);
    return new Promise((resolve, reject) => this.#open.push({ ...request, resolve, reject }));
  }

  /** How many questions have no answer yet. */
  get open(): number {
    return this.#open.length;
  }

  get last(): TokenRequest | undefined {
    return this.requests.at(-1);
  }

  /** Answers the first open question; by default it gives all that is wanted, and nothing is left. */
  async grant(granted?: number, spareMs = 0): Promise<void> {
    const asked = this.#next();
    asked.resolve({ granted: granted ?? asked.want, spareMs });
    await settle();
  }

  async fail(): Promise<void> {
    this.#next().reject(new Error('no connection'));
    await settle();
  }

  #next(): Asked {
    const asked = this.#open.shift();
    if (asked === undefined) throw new Error('expected an open question');
    return asked;
  }
}

/** A store that counts as Redis does, and answers after a while. */
export class CountingStore implements ClusterRateStore {
  up = true;
  processes = 1;
  readonly onStoreError = 'local';
  readonly commandTimeout = 50;
  asks = 0;
  #paidAt = -Infinity;

  constructor(
    private readonly clock: Clock,
    private readonly latencyMs: number,
  ) {}

  take({ least, want, intervalMs, burst }: TokenRequest): Promise<TokenGrant> {
    this.asks++;
    const now = this.clock.now();
    const most = now + burst * intervalMs;
    const paidAt = Math.min(Math.max(this.#paidAt, now), most);
    const free = (most - paidAt) / intervalMs + 1e-6;
    const granted = free < least ? 0 : least + Math.floor(Math.min(free, want) - least);
    this.#paidAt = paidAt + granted * intervalMs;
    const spareMs = most - this.#paidAt;
    return new Promise((resolve) => this.clock.setTimeout(() => resolve({ granted, spareMs }), this.latencyMs));
  }
}
