import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { LoopDelay } from '../../policies/system-protection/loop-cap.js';

/** Node's own timer comes this often, ms; what it measures includes it. */
const RESOLUTION_MS = 10;

/** Node's measure of how late its timers are. It neither runs JavaScript nor keeps the process alive. */
export class EventLoopDelay implements LoopDelay {
  readonly #histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });

  constructor() {
    this.#histogram.enable();
  }

  read(): number {
    const { mean } = this.#histogram;
    this.#histogram.reset();
    // Nothing was measured: NaN.
    return mean > 0 ? Math.max(0, mean / 1e6 - RESOLUTION_MS) : 0;
  }

  close(): void {
    this.#histogram.disable();
  }
}
