import { isDecoratedItself, type AnyClass, type GuardedMethod } from '../guarded/guarded-method.js';
import type { Returns } from '../kernel/method-kind.js';

/** What is known of a method that says nothing of what it gives. */
interface Learned {
  kind?: Returns;
  /** Why its calls have passed as they are. */
  uncovered?: string;
}

/**
 * What methods have turned out to give, for each class that has them: a base class may hand on what its subclasses make.
 * It outlives plans, which are made anew with every change of the rules.
 */
export class LearnedKinds {
  #known = new WeakMap<AnyClass, Map<GuardedMethod, Learned>>();

  /** @param warn tells whoever runs the app. */
  constructor(private readonly warn: (text: string) => void) {}

  kindOf(method: GuardedMethod, concrete: AnyClass): Returns | undefined {
    return this.#find(method, concrete)?.kind;
  }

  /** Why calls of it were not guarded; undefined where they were, or none has come. */
  uncoveredOf(method: GuardedMethod, concrete: AnyClass): string | undefined {
    return this.#find(method, concrete)?.uncovered;
  }

  learn(method: GuardedMethod, concrete: AnyClass, kind: Returns): void {
    const learned = this.#entry(method, concrete);
    learned.kind = kind;
    delete learned.uncovered;
  }

  /** Notes that a call gave what is not guarded; the first time it is worth a warning where the method asked for guards. */
  pass(method: GuardedMethod, concrete: AnyClass, place: string, reason: string): void {
    const learned = this.#entry(method, concrete);
    if (learned.uncovered !== undefined) return;
    learned.uncovered = reason;
    if (isDecoratedItself(method)) this.warn(`${place} is not guarded: ${reason}`);
  }

  /** Forgets what methods have turned out to give. */
  clear(): void {
    this.#known = new WeakMap();
  }

  #find(method: GuardedMethod, concrete: AnyClass): Learned | undefined {
    return this.#known.get(concrete)?.get(method);
  }

  #entry(method: GuardedMethod, concrete: AnyClass): Learned {
    let ofClass = this.#known.get(concrete);
    if (ofClass === undefined) this.#known.set(concrete, (ofClass = new Map<GuardedMethod, Learned>()));
    let learned = ofClass.get(method);
    if (learned === undefined) ofClass.set(method, (learned = {}));
    return learned;
  }
}
