import { randomBytes } from 'node:crypto';

const LARGEST_COUNTER = 0xffff;
const VERSION = /^([\da-f]{12})([\da-f]{4})[\da-f]{12}$/;

/**
 * Gives out versions that never go back: 12 hexadecimal digits of epoch ms, 4 of a counter, 12 of the node that gave
 * it out. As text they sort as they were given out. Where the wall clock is set back, or was ahead on the node of a
 * version that was seen, the counter goes on from the highest one known.
 *
 * @see https://cse.buffalo.edu/tech-reports/2014-04.pdf Kulkarni et al., Hybrid Logical Clocks
 */
export class VersionClock {
  #ms = 0;
  #counter = 0;

  /** @param node 12 hexadecimal digits that no other clock has. */
  constructor(
    private readonly wallClock: () => number = Date.now,
    private readonly node: string = randomBytes(6).toString('hex'),
  ) {}

  /** A version above all that were given out or observed here. */
  next(): string {
    const now = this.wallClock();
    if (now > this.#ms) {
      this.#ms = now;
      this.#counter = 0;
    } else if (++this.#counter > LARGEST_COUNTER) {
      this.#ms += 1;
      this.#counter = 0;
    }
    return this.#ms.toString(16).padStart(12, '0') + this.#counter.toString(16).padStart(4, '0') + this.node;
  }

  /** Takes note of a version from elsewhere; {@link next} goes on above it. What is no version of ours is passed over. */
  observe(version: string): void {
    const { ms, counter } = partsOf(version) ?? { ms: -1, counter: 0 };
    if (ms < this.#ms || (ms === this.#ms && counter <= this.#counter)) return;
    this.#ms = ms;
    this.#counter = counter;
  }
}

/** When a version was given out, in epoch ms by the clock of whoever did; undefined for what is no version of ours. */
export function timeOfVersion(version: string): number | undefined {
  return partsOf(version)?.ms;
}

function partsOf(version: string): { ms: number; counter: number } | undefined {
  const [, time, count] = VERSION.exec(version) ?? [];
  if (time === undefined || count === undefined) return undefined;
  return { ms: Number.parseInt(time, 16), counter: Number.parseInt(count, 16) };
}

/** Whether one version was given out after another; both from a {@link VersionClock}, whichever. */
export function isNewer(version: string, than: string): boolean {
  return version > than;
}
