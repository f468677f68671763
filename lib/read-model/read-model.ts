import type { EventBus } from '../events/event-bus.js';
import type { PolicyKey, ResilienceEvent } from '../events/resilience-event.js';
import type { Clock } from '../kernel/clock.js';
import type { AppPlans } from '../planning/app-plans.js';
import { planEntries, type PlanEntry } from '../planning/plan-entries.js';
import type { Ingress } from '../policies/system-protection/ingress.js';
import type { CallCounts } from './call-counts.js';
import { CallRegister } from './call-register.js';
import type { ClusterSource } from './cluster-source.js';
import { DEFAULT_BUCKETS } from './duration-counts.js';
import type { IngressReport, InstanceReport } from './instance-report.js';
import { readInstances, type InstanceState } from './read-instances.js';

/** What the read model is read from. */
export interface ReadModelInit {
  readonly app: AppPlans;
  readonly events: EventBus;
  readonly clock: Clock;
  /** What sheds incoming requests; undefined: nothing does. */
  readonly ingress: () => Ingress | undefined;
}

const SECOND_MS = 1_000;

/**
 * Everything that there is to see of an app's policies, in one place: health, metrics, the dashboard and the command line
 * read it. States are read when they are asked for. Calls are counted only while somebody wants that, so that an app
 * without any of these pays nothing.
 */
export class ReadModel {
  readonly #register: CallRegister;
  readonly #clusters = new Set<() => ClusterSource>();
  readonly #onFailure = new Set<(name: string, error: unknown) => void>();
  #bounds = DEFAULT_BUCKETS;
  /** How many want calls to be counted. */
  #wanted = 0;
  #stop: (() => void) | undefined;

  constructor(private readonly init: ReadModelInit) {
    const { app } = init;
    this.#register = new CallRegister(
      {
        isLoose: (name) => app.isAdHoc(name) || /#\d+$/.test(name),
        withoutKey: (name) => this.#withoutKey(name),
      },
      inMs(DEFAULT_BUCKETS),
      (name, error) => {
        for (const listener of this.#onFailure) listener(name, error);
      },
    );
  }

  /** The boundaries of the buckets of durations, ascending, seconds. */
  get buckets(): readonly number[] {
    return this.#bounds;
  }

  /** Counts durations in other buckets. @param bounds ascending, seconds. */
  useBuckets(bounds: readonly number[]): void {
    this.#bounds = bounds;
    this.#register.rebucket(inMs(bounds));
  }

  /** Counts calls from now on. @returns a function that ends it, when all who wanted it have left. */
  countCalls(): () => void {
    if (this.#wanted++ === 0) this.#stop = this.#begin();
    let left = false;
    return () => {
      if (left) return;
      left = true;
      if (--this.#wanted > 0) return;
      this.#stop?.();
      this.#stop = undefined;
    };
  }

  /**
   * Lets `listener` hear with what each attempt has failed, by the name of its call, while calls are counted.
   *
   * @returns a function that ends it.
   */
  watchFailures(listener: (name: string, error: unknown) => void): () => void {
    this.#onFailure.add(listener);
    return () => void this.#onFailure.delete(listener);
  }

  /** What was counted, by name. */
  counts(): IterableIterator<[name: string, counts: CallCounts]> {
    return this.#register.entries();
  }

  /** What was counted under a name. */
  countsOf(name: string): CallCounts {
    return this.#register.of(name);
  }

  /** Under which name something counts: there is no room for any number of them. */
  nameFor(name: string): string {
    return this.#register.nameFor(name);
  }

  /** What keeps state, as it is now, by name. */
  states(): Map<string, InstanceState> {
    return readInstances(this.init.app.instances, this.init.clock);
  }

  /**
   * Every instance: what it guards, by which policies, and how it is. It makes the plans of the whole app where they are
   * not there yet.
   *
   * @throws ResilienceConfigurationError for what is wrong with them.
   */
  instances(): InstanceReport[] {
    const { app } = this.init;
    const found = new Map<string, { guards: Set<string>; policies: Set<PolicyKey> }>();
    const of = (name: string) => {
      let known = found.get(name);
      if (known === undefined) found.set(name, (known = { guards: new Set(), policies: new Set() }));
      return known;
    };
    for (const entry of planEntries(app)) {
      for (const { name, policy } of entry.policies) of(name).policies.add(policy);
      for (const name of new Set(entry.policies.map((policy) => policy.name))) of(name).guards.add(guardOf(entry));
    }
    const states = this.states();
    for (const name of states.keys()) of(name);
    for (const [name] of this.counts()) of(name);
    return [...found].map(([name, { guards, policies }]) => ({
      name,
      guards: [...guards],
      policies: [...policies],
      ...states.get(name),
    }));
  }

  /** What stands before the HTTP server; undefined where nothing does. */
  ingress(): IngressReport | undefined {
    const ingress = this.init.ingress();
    if (ingress === undefined) return undefined;
    const { active, limit, loopDelayMs, shedBy } = ingress;
    return { active, limit, loopDelayMs, shed: shedBy };
  }

  /** Lets a part of a cluster be seen. @returns a function that ends it. */
  addCluster(source: () => ClusterSource): () => void {
    this.#clusters.add(source);
    return () => void this.#clusters.delete(source);
  }

  /** What the parts of a cluster tell of themselves. */
  clusters(): ClusterSource[] {
    return [...this.#clusters].map((source) => source());
  }

  #begin(): () => void {
    const { app, events } = this.init;
    const ends = [
      events.watchCalls({ begun: (call) => this.#register.of(call.name).begun(call) }),
      events.watchChanges({
        changed: (event) => this.#changed(event),
        repeated: () => undefined,
        wouldRefuse: (name, policy) => this.#register.of(name).wouldRefuse(policy),
      }),
      app.instances.watchReleases((name) => this.#register.forget(name)),
    ];
    return () => {
      for (const end of ends) end();
    };
  }

  #changed(event: ResilienceEvent): void {
    if (event.type === 'stateChange') this.#register.of(event.name).entered(event.to);
  }

  /** Names that are known as they are have no key. */
  #withoutKey(name: string): string {
    const at = name.endsWith(']') ? name.indexOf('[') : -1;
    return at <= 0 || this.init.app.instances.knows(name) ? name : name.slice(0, at);
  }
}

function guardOf({ className, methodName, interceptor }: PlanEntry): string {
  const method = className === '' ? methodName : `${className}.${methodName}`;
  return interceptor === undefined ? method : `${method} (${interceptor})`;
}

function inMs(seconds: readonly number[]): number[] {
  return seconds.map((bound) => bound * SECOND_MS);
}
