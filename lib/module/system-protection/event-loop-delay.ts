import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { LoopDelay } from '../../policies/system-protection/loop-cap.js';

/** Node's own timer comes this often, ms; what it measures includes it. */
const RESOLUTION_MS = 10;

/** Node's measure of how late its timers are. It neither runs JavaScript nor keeps the process alive. */
export class EventLoopDelay implements LoopDelay {
  readonly #histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });

  #count = 0;
  #sum = 0;

  constructor() {
    this.#histogram.enable();
  }

  read(): number {
    // A reset would forget the delay that is going on.
    const { count, mean } = this.#histogram;
    const more = count - this.#count;
    if (more <= 0) return 0;
    const sum = count * mean;
    const meanMs = (sum - this.#sum) / more / 1e6;
    this.#count = count;
    this.#sum = sum;
    return Math.max(0, meanMs - RESOLUTION_MS);
  }

  close(): void {
    this.#histogram.disable();
  }
}
