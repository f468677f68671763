import type { Timer } from '../../lib/kernel/clock.js';
import { VirtualClock as PublishedClock } from '../../lib/testing/virtual-clock.js';

/** The published clock, with what only the tests of the engine look at. */
export class VirtualClock extends PublishedClock {
  /** How many timers were ever made. */
  timersMade = 0;

  override setTimeout(callback: () => void, ms: number): Timer {
    this.timersMade++;
    return super.setTimeout(callback, ms);
  }

  /** How many pending timers keep the process alive. */
  get keepingAlive(): number {
    return this.timers.filter(({ hasRef }) => hasRef).length;
  }

  /** When a timer fires that is not due together with the next one, ms from now. */
  get secondTimerIn(): number {
    const [first] = this.timers;
    const second = this.timers.find(({ due }) => due > (first?.due ?? Infinity));
    return second === undefined ? Infinity : second.due - this.moment;
  }

  /** Lets `ms` pass with a blocked event loop: no timer and no answer gets its turn. */
  block(ms: number): void {
    this.moment += ms;
  }

  /** The timers' turn of the event loop: what is due runs, immediates do not. */
  fireDueTimers(): void {
    for (const timer of this.timers.filter(({ due }) => due <= this.moment)) {
      if (this.timers.includes(timer)) this.fire(timer);
    }
  }
}
