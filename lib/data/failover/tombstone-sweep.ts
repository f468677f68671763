import type { DataWrite } from '../port/replicable-data.service.js';
import type { GuardedNode } from './guarded-node.js';
import type { PrimaryNode } from './primary-node.js';
import { outsideCalls } from '../port/outside-calls.js';
import { timeOfVersion } from '../port/version-clock.js';

/** How many tombstones wait to be removed; what is not among them is seen again. */
const MAX_WAITING = 1_000;

/** Removes the tombstones that reads come by, once they are old enough: one at a time, and only what is no trouble. */
export class TombstoneSweep {
  readonly #waiting = new Map<string, string>();
  #running: Promise<void> | undefined;
  #stopped = false;

  constructor(
    /** How old, in ms, a tombstone must be. */
    private readonly age: number,
    private readonly primary: PrimaryNode,
    /** They lose it with the primary. */
    private readonly mirrors: readonly GuardedNode[],
    private readonly wallNow: () => number,
  ) {}

  /** Takes note of what was read from the primary. */
  saw({ key, text, version }: DataWrite): void {
    if (text !== undefined || this.#stopped || (timeOfVersion(version) ?? 0) > this.wallNow() - this.age) return;
    if (this.#waiting.size >= MAX_WAITING) return;
    this.#waiting.set(key, version);
    this.#running ??= outsideCalls(() => this.#sweep()).finally(() => (this.#running = undefined));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #sweep(): Promise<void> {
    for (const [key, version] of this.#waiting) {
      this.#waiting.delete(key);
      if (this.#stopped) return;
      try {
        await this.primary.write((service, signal) => service.forget(key, version, { signal }));
        await Promise.all(this.mirrors.map((mirror) => mirror.run((service) => service.forget(key, version))));
      } catch {
        // It is seen again, and does no harm until then.
      }
    }
  }
}
