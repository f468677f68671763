import { Loss } from '../../kernel/loss.js';
import type { Plan } from '../../pipeline/plan.js';
import type { Planner } from '../planner.js';
import { Shelf } from './shelf.js';

/** How many names have state at once that nobody but `execute()` knows. */
export const MAX_NAMES = 1_000;
/** How many give way at once, so that a flood of names does not look at all of them each time. */
const BATCH = 100;
/** How many plans of one name are kept at least. */
const PLANS_OF_A_NAME = 8;

/** A name that code has given to `execute()` with a set. */
export interface AdHocName {
  readonly name: string;
  /** What equal sets of this name share. */
  readonly plans: Shelf<unknown>;
  /** The last plan, and how it is made anew. */
  plan: Plan;
  make: (planner: Planner) => Plan;
  usedAt: number;
  /** Its state was forgotten. */
  gone: boolean;
}

/** What becomes of the state of a name. */
export interface StateOfNames {
  lossWith(name: string): Loss;
  release(name: string): void;
  /** The names that others use too. */
  others(): ReadonlySet<string>;
  /** There were more names than there is room for. */
  tell(most: number): void;
}

/** The names that `execute()` was given with a set: a bounded number, however many come. */
export class AdHocNames {
  readonly #names = new Map<string, AdHocName>();
  #turn = 0;
  /** The size from which on it is worth looking for room. */
  #fullFrom = MAX_NAMES;

  constructor(private readonly state: StateOfNames) {}

  get(name: string): AdHocName | undefined {
    return this.#names.get(name);
  }

  use(name: AdHocName): void {
    name.usedAt = ++this.#turn;
  }

  enter(name: string, plan: Plan, make: (planner: Planner) => Plan): AdHocName {
    let known = this.#names.get(name);
    if (known === undefined) {
      known = { name, plans: new Shelf(PLANS_OF_A_NAME), plan, make, usedAt: 0, gone: false };
      this.#names.set(name, known);
      if (this.#names.size > this.#fullFrom) this.#makeRoom(known);
    }
    known.plan = plan;
    known.make = make;
    this.use(known);
    return known;
  }

  values(): Iterable<AdHocName> {
    return this.#names.values();
  }

  names(): string[] {
    return [...this.#names.keys()];
  }

  clear(): void {
    for (const name of this.#names.values()) name.gone = true;
    this.#names.clear();
    this.#fullFrom = MAX_NAMES;
  }

  /** Closed and idle ones go first, those that remember something after them, those at work stay. */
  #makeRoom(newest: AdHocName): void {
    this.state.tell(MAX_NAMES);
    const byUse = [...this.#names.values()].filter((one) => one !== newest).sort((a, b) => a.usedAt - b.usedAt);
    const byLoss = new Map<Loss, AdHocName[]>();
    for (const one of byUse) {
      const loss = this.state.lossWith(one.name);
      const alike = byLoss.get(loss);
      if (alike === undefined) byLoss.set(loss, [one]);
      else alike.push(one);
    }
    const idle = (byLoss.get(Loss.Nothing) ?? []).slice(0, BATCH);
    const leaving = idle.length > 0 ? idle : (byLoss.get(Loss.Memory) ?? []).slice(0, BATCH / 10);
    const others = this.state.others();
    for (const one of leaving) {
      one.gone = true;
      this.#names.delete(one.name);
      if (!others.has(one.name)) this.state.release(one.name);
    }
    // Where all are at work, it is not worth looking again for each that comes.
    this.#fullFrom = Math.max(MAX_NAMES, this.#names.size > MAX_NAMES ? this.#names.size + BATCH : 0);
  }
}
