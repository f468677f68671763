import type { ShedEvent } from '../../events/resilience-event.js';
import type { Clock, Timer } from '../../kernel/clock.js';
import { seconds } from '../../policies/circuit-breaker/trip/trip-strategy.js';
import { fieldsOf } from './lines.js';
import type { LogFields } from './log-fields.js';
import type { Repeats } from './repeats.js';

/** When nothing was turned away for so long, ms, shedding is over. */
const QUIET_MS = 5_000;
const MINUTE_MS = 60_000;

/** Tells when requests begin to be turned away, how many they are each minute, and when that is over. */
export class Shedding {
  #timer: Timer | undefined;
  #since = 0;
  #lastAt = 0;
  #toldAt = 0;
  #count = 0;
  #fields: LogFields = { event: 'shed' };
  #toldCount = 0;

  constructor(
    private readonly clock: Clock,
    private readonly repeats: Repeats,
  ) {}

  shed(event: ShedEvent): void {
    this.#count++;
    this.#lastAt = this.clock.now();
    if (this.#timer !== undefined) return;
    this.#since = this.#toldAt = this.#lastAt;
    this.#toldCount = this.#count;
    this.#fields = fieldsOf(event);
    this.#say('warn', 'begins', `: incoming requests are answered 503 (${describe(event)})`);
    this.#arm();
  }

  close(): void {
    if (this.#timer === undefined) return;
    this.clock.clearTimeout(this.#timer);
    this.#end('the app is shut down');
  }

  #arm(): void {
    const next = Math.min(this.#lastAt + QUIET_MS, this.#toldAt + MINUTE_MS);
    this.#timer = this.clock.setTimeout(() => this.#look(), Math.max(1, next - this.clock.now()));
    this.#timer.unref();
  }

  #look(): void {
    const now = this.clock.now();
    if (now - this.#lastAt >= QUIET_MS) return this.#end('no request was turned away of late');
    if (now - this.#toldAt >= MINUTE_MS) {
      const more = this.#count - this.#toldCount;
      this.#say('warn', 'goes on', ` ... ${more} more in the last minute`);
      this.#toldAt = now;
      this.#toldCount = this.#count;
    }
    this.#arm();
  }

  #end(why: string): void {
    this.#timer = undefined;
    const all = `${this.#count} ${this.#count === 1 ? 'request was' : 'requests were'} turned away`;
    this.#say('log', 'has ended', `, ${why}: ${all} in ${seconds(this.#lastAt - this.#since)}`);
    this.#count = 0;
  }

  #say(level: 'warn' | 'log', phase: string, more: string): void {
    const again = `ingress: shedding ${phase}`;
    this.repeats.say({
      kind: 'ingress: shedding',
      level,
      state: 'changed',
      again,
      text: () => again + more,
      fields: { ...this.#fields, phase, shed: this.#count },
    });
  }
}

function describe({ reason, details }: ShedEvent): string {
  const { active, limit, loopDelayMs } = details as { active?: number; limit?: number; loopDelayMs?: number };
  return `${reason}: ${active} worked on, limit ${limit}, event loop held up ${Math.round(loopDelayMs ?? 0)} ms`;
}
