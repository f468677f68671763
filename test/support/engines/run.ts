import { textOf } from './describe.js';
import type { Outcome } from './ends.js';

/** One run of the guarded work, or of a handler that takes its time. */
export class Run {
  state = 'running';
  /** What its signal told when it ended: what becomes of the signal of an attempt that is over has no use to anybody. */
  #toldAtEnd: string | undefined;
  pulls = 0;
  /** Sends an item of a stream. */
  emit: (outcome: Outcome) => void = () => undefined;
  /** Ends it. */
  settle: (outcome: Outcome) => void = () => undefined;

  constructor(
    /** The call for which it runs, by the async context in which it began; 0: that was lost. */
    readonly call: number,
    readonly id: string,
    readonly what: string,
    readonly signal: AbortSignal | undefined,
  ) {}

  end(state: string): boolean {
    if (this.state !== 'running') return false;
    this.state = state;
    // One that has called another method goes on until that ends.
    if (state !== 'nests') this.over();
    return true;
  }

  /** @param told what its signal told then; of two that end in one instant, nobody says which is first. */
  over(told = this.#told): void {
    this.#toldAtEnd ??= told;
  }

  get #told(): string {
    const { signal } = this;
    if (signal === undefined) return '';
    return signal.aborted ? `, signal aborted: ${textOf(signal.reason)}` : ', signal open';
  }

  toString(): string {
    const cut = this.#toldAtEnd ?? this.#told;
    return `run ${this.id} of ${this.what}: ${this.state}${cut}${this.pulls > 0 ? `, ${this.pulls} pulls` : ''}`;
  }
}
