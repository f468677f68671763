import type { DataService } from 'nestjs-bulwark/data';
import { setTimeout as delay } from 'node:timers/promises';

/** What writers saw. */
export interface WritersReport {
  /** The last number of each key whose put was acknowledged. */
  readonly acknowledged: ReadonlyMap<string, number>;
  readonly count: number;
  readonly failures: readonly unknown[];
  /** The longest time, ms, between two acknowledgements of whichever writer. */
  readonly longestGap: number;
  /** The longest time, ms, that one put took to be acknowledged or refused. */
  readonly longestPut: number;
}

/** Writers of ever higher numbers, each under a key of its own. */
export class Writers {
  readonly #acknowledged = new Map<string, number>();
  readonly #failures: unknown[] = [];
  readonly #ended: Promise<unknown>;
  #running = true;
  #count = 0;
  #last = performance.now();
  #longestGap = 0;
  #longestPut = 0;

  constructor(
    private readonly data: DataService,
    count: number,
  ) {
    this.#ended = Promise.all(Array.from({ length: count }, (_, i) => this.#write(`writer/${i}`)));
  }

  get count(): number {
    return this.#count;
  }

  /** Ends them, prints what they saw, and gives it. */
  async stop(title: string): Promise<WritersReport> {
    this.#running = false;
    await this.#ended;
    this.#seen();
    const [gap, put] = [Math.round(this.#longestGap), Math.round(this.#longestPut)];
    console.log(
      `${title}: ${this.#count} puts acknowledged, ${this.#failures.length} refused, ` +
        `longest gap ${gap} ms, longest put ${put} ms`,
    );
    return {
      acknowledged: this.#acknowledged,
      count: this.#count,
      failures: this.#failures,
      longestGap: this.#longestGap,
      longestPut: this.#longestPut,
    };
  }

  async #write(key: string): Promise<void> {
    for (let i = 0; this.#running; i++) {
      const began = performance.now();
      try {
        await this.data.put(key, i);
        this.#acknowledged.set(key, i);
        this.#count++;
        this.#seen();
      } catch (error) {
        this.#failures.push(error);
        // As a caller with a backoff would.
        await delay(20);
      }
      this.#longestPut = Math.max(this.#longestPut, performance.now() - began);
    }
  }

  #seen(): void {
    const now = performance.now();
    this.#longestGap = Math.max(this.#longestGap, now - this.#last);
    this.#last = now;
  }
}

/** The keys that have less than was acknowledged; more is what a refused put has written after all. */
export async function lostPuts(data: DataService, acknowledged: ReadonlyMap<string, number>): Promise<string[]> {
  const lost: string[] = [];
  for (const [key, number] of acknowledged) {
    const found = await data.get<number>(key);
    if (found === undefined || found < number) lost.push(`${key}: ${found} instead of ${number}`);
  }
  return lost;
}
