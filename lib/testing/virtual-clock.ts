import { types } from 'node:util';
import { ResilienceConfigurationError } from '../errors/configuration.error.js';
import type { Clock, Timer } from '../kernel/clock.js';
import { checkOptions, MAX_DELAY_MS, show, type Expectation } from '../kernel/options/check.js';
import { settle } from './settle.js';

/** Where virtual time begins: not 0, as no process's clock does. */
const START = 1_000_000;
/** 2030-01-01T00:00:00Z. */
const WALL_START = 1_893_456_000_000;

const aMoment: Expectation = {
  expected: 'a Date, or a number of milliseconds since 1970',
  accepts: (value) => (typeof value === 'number' || types.isDate(value)) && Number.isFinite(Number(value)),
};

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

/**
 * Time that passes only when a test says so.
 *
 * @publicApi
 */
export class VirtualClock implements Clock {
  /** @internal Monotonic milliseconds. */
  protected moment = START;
  /** @internal What is pending, the first to fire first. */
  protected timers: VirtualTimer[] = [];
  #immediates: (() => void)[] = [];
  readonly #wallStart: number;

  /** @param wallStart what `wallNow()` says at the beginning, epoch ms. @default 2030-01-01T00:00:00Z */
  constructor(wallStart = WALL_START) {
    this.#wallStart = wallStart;
  }

  /** Monotonic milliseconds, from an arbitrary start. */
  now(): number {
    return this.moment;
  }

  /** Epoch milliseconds. */
  wallNow(): number {
    return this.#wallStart + this.moment - START;
  }

  setTimeout(callback: () => void, ms: number): Timer {
    // As Node's timers do it: a delay that they cannot hold fires after 1 ms.
    const delay = ms >= 1 && ms <= MAX_DELAY_MS ? Math.trunc(ms) : 1;
    const timer = new VirtualTimer(this.moment + delay, callback);
    this.timers.push(timer);
    this.timers.sort((a, b) => a.due - b.due);
    return timer;
  }

  clearTimeout(timer: Timer): void {
    this.timers = this.timers.filter((other) => other !== timer);
  }

  setImmediate(callback: () => void): void {
    this.#immediates.push(callback);
  }

  /** How many timers are pending. */
  get pending(): number {
    return this.timers.length;
  }

  /** When the next timer fires, ms from now; undefined: none is pending. */
  get nextTimerIn(): number | undefined {
    const [first] = this.timers;
    return first === undefined ? undefined : first.due - this.moment;
  }

  /**
   * Lets `ms` pass: each timer runs at its own time, and what it set going settles before the next.
   *
   * @param ms 0 lets promises settle.
   * @throws (as a rejection) ResilienceConfigurationError for what is no number of milliseconds of at least 0.
   */
  async advance(ms: number): Promise<void> {
    if (!(Number.isFinite(ms) && ms >= 0))
      throw new ResilienceConfigurationError(
        'virtualClock().advance',
        `expected a number of milliseconds of at least 0, got ${show(ms)}`,
      );
    const end = this.moment + ms;
    await this.poll();
    for (let first = this.timers[0]; first !== undefined && first.due <= end; first = this.timers[0]) {
      this.moment = Math.max(this.moment, first.due);
      this.fire(first);
      await this.poll();
    }
    this.moment = Math.max(this.moment, end);
    await settle();
  }

  /** @internal One turn of the event loop's immediates, those that they set excluded. */
  turn(): void {
    for (const immediate of this.#immediates.splice(0)) immediate();
  }

  /** @internal Lets promises settle, and turns the event loop until no immediate is left. */
  async poll(): Promise<void> {
    await settle();
    while (this.#immediates.length > 0) {
      this.turn();
      await settle();
    }
  }

  /** @internal */
  protected fire(timer: VirtualTimer): void {
    this.clearTimeout(timer);
    timer.callback();
  }
}

/**
 * A clock whose time passes by `advance(ms)`, for the policies of a test's app.
 *
 * @param options.wallStart what `wallNow()` says at the beginning. @default 2030-01-01T00:00:00Z
 * @throws ResilienceConfigurationError for any other option, and for what is no moment.
 *
 * @example
 * const clock = virtualClock();
 * const module = await Test.createTestingModule({ imports: [AppModule] })
 *   .overrideProvider(RESILIENCE_CLOCK)
 *   .useValue(clock)
 *   .compile();
 *
 * await clock.advance(30_000);
 *
 * @publicApi
 */
export function virtualClock(options: { readonly wallStart?: Date | number } = {}): VirtualClock {
  checkOptions<typeof options>('virtualClock()', options, { wallStart: aMoment });
  const { wallStart } = options;
  return new VirtualClock(wallStart === undefined ? undefined : Number(wallStart));
}
