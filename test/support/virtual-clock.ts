import type { Clock, Timer } from '../../lib/kernel/clock.js';
import { settle } from './settle.js';

/** The longest delay that Node's timers hold; a longer one fires after 1 ms. */
const NODE_MAX_DELAY = 2 ** 31 - 1;

/** Where virtual time begins: not 0, as no process's clock does. */
const START = 1_000_000;
/** 2030-01-01T00:00:00Z. */
const WALL_START = 1_893_456_000_000;

class VirtualTimer implements Timer {
  hasRef = true;

  constructor(
    readonly due: number,
    readonly callback: () => void,
  ) {}

  ref(): this {
    this.hasRef = true;
    return this;
  }

  unref(): this {
    this.hasRef = false;
    return this;
  }
}

/** Time that passes only when a test says so. */
export class VirtualClock implements Clock {
  #now = START;
  #timers: VirtualTimer[] = [];
  #immediates: (() => void)[] = [];
  /** How many timers were ever made. */
  timersMade = 0;

  now(): number {
    return this.#now;
  }

  wallNow(): number {
    return WALL_START + this.#now - START;
  }

  setTimeout(callback: () => void, ms: number): Timer {
    const delay = ms >= 1 && ms <= NODE_MAX_DELAY ? Math.trunc(ms) : 1;
    const timer = new VirtualTimer(this.#now + delay, callback);
    this.timersMade++;
    this.#timers.push(timer);
    this.#timers.sort((a, b) => a.due - b.due);
    return timer;
  }

  clearTimeout(timer: Timer): void {
    this.#timers = this.#timers.filter((other) => other !== timer);
  }

  setImmediate(callback: () => void): void {
    this.#immediates.push(callback);
  }

  /** How many timers are pending. */
  get pending(): number {
    return this.#timers.length;
  }

  /** How many pending timers keep the process alive. */
  get keepingAlive(): number {
    return this.#timers.filter(({ hasRef }) => hasRef).length;
  }

  /** When the next timer fires, ms from now. */
  get nextTimerIn(): number | undefined {
    const [first] = this.#timers;
    return first === undefined ? undefined : first.due - this.#now;
  }

  /** When a timer fires that is not due together with the next one, ms from now. */
  get secondTimerIn(): number {
    const [first] = this.#timers;
    const second = this.#timers.find(({ due }) => due > (first?.due ?? Infinity));
    return second === undefined ? Infinity : second.due - this.#now;
  }

  /** Lets `ms` pass: each timer runs at its own time, and what it set going settles before the next. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (let first = this.#timers[0]; first !== undefined && first.due <= end; first = this.#timers[0]) {
      this.#now = Math.max(this.#now, first.due);
      this.#fire(first);
      await settle();
      await this.poll();
    }
    this.#now = Math.max(this.#now, end);
    await settle();
  }

  /** Lets `ms` pass with a blocked event loop: no timer and no answer gets its turn. */
  block(ms: number): void {
    this.#now += ms;
  }

  /** The timers' turn of the event loop: what is due runs, immediates do not. */
  fireDueTimers(): void {
    for (const timer of this.#timers.filter(({ due }) => due <= this.#now)) {
      if (this.#timers.includes(timer)) this.#fire(timer);
    }
  }

  /** One turn of the event loop's immediates, those that they set excluded. */
  turn(): void {
    for (const immediate of this.#immediates.splice(0)) immediate();
  }

  /** Turns of the event loop until no immediate is left. */
  async poll(): Promise<void> {
    while (this.#immediates.length > 0) {
      this.turn();
      await settle();
    }
  }

  #fire(timer: VirtualTimer): void {
    this.clearTimeout(timer);
    timer.callback();
  }
}
