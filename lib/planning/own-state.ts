import { Mistakes, ResilienceConfigurationError } from '../errors/configuration.error.js';
import { guardedLineage } from '../guarded/guarded-classes.js';
import type { AnyClass } from '../guarded/guarded-method.js';
import { isStateful } from '../policies/kinds.js';
import type { Planner } from './planner.js';
import type { StateOwner, StateOwners } from './state-owners.js';

/** The app, as far as it is known how its instances are made. */
export interface KnownInstances {
  /** Whether any provider of a class is made anew for requests, or for whoever asks. */
  isPerCall(concrete: AnyClass): boolean;
  /** The guarded objects that the app makes once. */
  staticInstances(): Iterable<[object, AnyClass]>;
}

/** What decides whether instances have state of their own. */
export interface OwnStateApp {
  planner(): Planner;
  /** Whether what the module would give is left out. */
  isLenient(): boolean;
  /** undefined: nothing is known yet. */
  known(): KnownInstances | undefined;
}

/** Tells which instances have state of their own, since `scope: 'instance'` says so, and refuses those that do not stay. */
export class OwnState {
  /** For each class where it says that its instances have state of their own, if it does. */
  readonly #places = new Map<AnyClass, string | false>();

  constructor(
    private readonly app: OwnStateApp,
    private readonly owners: StateOwners,
  ) {}

  /** Lets it be found anew, after what it depends on has changed. */
  forget(): void {
    this.#places.clear();
  }

  /** The policy for which each instance of a class has state of its own, as errors name it; undefined: none. */
  placeOf(concrete: AnyClass): string | undefined {
    if (this.app.isLenient()) return undefined;
    let place = this.#places.get(concrete);
    if (place === undefined) {
      place = this.#find(concrete) ?? false;
      this.#places.set(concrete, place);
    }
    return place === false ? undefined : place;
  }

  /**
   * Whose state the methods of `instance` work on: its own, or undefined for that of its class.
   *
   * @param perCall whether it is known to be made anew for requests or for whoever asks.
   * @throws ResilienceConfigurationError for an instance that will not stay, and is to have state of its own.
   */
  ownerOf(instance: unknown, concrete: AnyClass, perCall = false): StateOwner | undefined {
    if (typeof instance !== 'object' || instance === null) return undefined;
    const place = this.placeOf(concrete);
    if (place === undefined) return undefined;
    const known = this.owners.get(instance);
    if (known !== undefined) return known;
    if (perCall || this.app.known()?.isPerCall(concrete) === true) throw perCallError(place);
    return this.owners.add(instance, concrete);
  }

  /** @throws ResilienceConfigurationError for a class whose instances do not stay, and are to have state of their own. */
  refusePerCall(concrete: AnyClass): void {
    const place = this.placeOf(concrete);
    if (place !== undefined && this.app.known()?.isPerCall(concrete) === true) throw perCallError(place);
  }

  /** Finds instances that nobody has called yet, so that their state can be seen and steered. */
  findOwners(): void {
    // What cannot have state of its own is told at the start, or by its first call.
    for (const [instance, concrete] of this.app.known()?.staticInstances() ?? [])
      new Mistakes().in(() => this.ownerOf(instance, concrete));
  }

  #find(concrete: AnyClass): string | undefined {
    const planner = this.app.planner();
    for (const [, { methods }] of guardedLineage(concrete)) {
      for (const method of methods.values()) {
        // What is wrong is told where its plan is made.
        const { policies } = new Mistakes().in(() => planner.resolve(method, concrete)) ?? {};
        for (const [key, { label, options }] of policies ?? [])
          if (isStateful(key) && options.scope === 'instance') return `${planner.placeOf(method, concrete)}, ${label}`;
      }
    }
    return undefined;
  }
}

function perCallError(place: string): ResilienceConfigurationError {
  return new ResilienceConfigurationError(
    place,
    "option 'scope': expected 'class' on a request-scoped or transient provider, whose instances do not stay, got 'instance'",
  );
}
