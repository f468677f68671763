import type { AnyClass, GuardedMethod } from '../guarded/guarded-method.js';
import type { Plan } from '../pipeline/plan.js';

/** An instance that has state of its own. It is known by what belongs to it, and never held itself. */
export class StateOwner {
  /** Its plans, for its methods share no state with those of other instances. */
  readonly plans = new Map<GuardedMethod, Plan>();
  readonly #names = new Map<string, string>();

  constructor(
    readonly concrete: AnyClass,
    private readonly number: (name: string) => string,
  ) {}

  /** The name of its part of what goes by `name`: the name itself for the first instance, `name#2` for the second. */
  readonly nameOfState = (name: string): string => {
    const known = this.#names.get(name);
    if (known !== undefined) return known;
    const given = this.number(name);
    this.#names.set(name, given);
    return given;
  };

  /** The names that are its own alone; the first instance of a name shares it with `execute()`. */
  get ownNames(): string[] {
    return [...this.#names].filter(([name, given]) => given !== name).map(([, given]) => given);
  }
}

/** The instances of an app that have state of their own, in the order in which they were found. */
export class StateOwners {
  #known = new WeakMap<object, StateOwner>();
  readonly #all = new Set<StateOwner>();
  /** What instances of a class will have, as long as none is known. */
  readonly #blank = new Map<AnyClass, StateOwner>();
  readonly #counts = new Map<string, number>();
  readonly #gone = new FinalizationRegistry<StateOwner>((owner) => this.#release(owner));

  /** @param onGone gives back the state of a name whose instance is gone. */
  constructor(private readonly onGone: (name: string) => void) {}

  get(instance: object): StateOwner | undefined {
    return this.#known.get(instance);
  }

  add(instance: object, concrete: AnyClass): StateOwner {
    const owner = new StateOwner(concrete, (name) => this.#number(name));
    this.#known.set(instance, owner);
    this.#all.add(owner);
    this.#gone.register(instance, owner);
    return owner;
  }

  /** Stands for an instance of a class that is not there yet: its state is that of the name itself. */
  blankOf(concrete: AnyClass): StateOwner {
    let blank = this.#blank.get(concrete);
    if (blank === undefined) this.#blank.set(concrete, (blank = new StateOwner(concrete, (name) => name)));
    return blank;
  }

  all(): StateOwner[] {
    return [...this.#blank.values(), ...this.#all];
  }

  ofClass(concrete: AnyClass): StateOwner[] {
    return [...this.#all].filter((owner) => owner.concrete === concrete);
  }

  /** Forgets them all. */
  clear(): void {
    this.#known = new WeakMap();
    for (const { plans } of this.#all) forgetRecent(plans);
    this.#blank.clear();
    this.#all.clear();
    this.#counts.clear();
  }

  #number(name: string): string {
    const count = (this.#counts.get(name) ?? 0) + 1;
    this.#counts.set(name, count);
    return count === 1 ? name : `${name}#${count}`;
  }

  #release(owner: StateOwner): void {
    if (!this.#all.delete(owner)) return;
    forgetRecent(owner.plans);
    for (const name of owner.ownNames) this.onGone(name);
  }
}

/** Methods outlive instances: none may hold on to a plan of one. */
export function forgetRecent(plans: ReadonlyMap<GuardedMethod, Plan>): void {
  for (const method of plans.keys()) if (method.recent?.plans === plans) method.recent = undefined;
}
