import type { Term } from './term.js';

/** Who can say whether this process leads. */
export interface Elector {
  stand(leaderOf: string): void;
  term(leaderOf: string): Term | undefined;
}

/**
 * Where methods that only a leader runs meet the elections. It depends on nothing, so that whatever it is injected into
 * cannot close a circle with the options of the module.
 */
export class ElectionBoard {
  readonly #brand = true;
  readonly #wanted = new Set<string>();
  #elector: Elector | undefined;
  #closed = false;

  /** Whether `value` is one: an auto-mocked provider has every property, but not this one. */
  static is(value: unknown): value is ElectionBoard {
    return typeof value === 'object' && value !== null && #brand in value;
  }

  /** This process is to stand for a leadership, from the start of the app on. */
  stand(leaderOf: string): void {
    this.#wanted.add(leaderOf);
    this.#elector?.stand(leaderOf);
  }

  /** The time of leadership that runs now; undefined: this process does not lead. It stands from the first question on. */
  term(leaderOf: string): Term | undefined {
    if (!this.#wanted.has(leaderOf)) this.stand(leaderOf);
    return this.#elector?.term(leaderOf);
  }

  /** The app has started. */
  open(elector: Elector): void {
    this.#elector = elector;
    for (const leaderOf of this.#wanted) elector.stand(leaderOf);
  }

  /** The app has closed: what outlives it may stand in another one. */
  close(): void {
    this.#closed = true;
  }

  get closed(): boolean {
    return this.#closed;
  }
}
