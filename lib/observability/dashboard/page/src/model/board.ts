import type { BreakerState, DashboardState, Ingress, ProcessInfo, Tick, TimelineEntry } from '../../../protocol.js';
import { Instance } from './instance.js';
import { TREND_SECONDS } from './trend.js';
import { merge } from './timeline.js';

/** A breaker that changed its state between two messages. */
export interface StateChange {
  readonly name: string;
  readonly to: BreakerState;
}

/** Traffic moves rows at most so often, s. */
const WEIGHED_EACH_SECONDS = 10;

/** All that the stream told: the one place where its messages are put together. */
export class Board {
  process: ProcessInfo | undefined;
  canAct = false;
  fleet = false;
  draining = false;
  ingress: Ingress | null = null;
  timeline: readonly TimelineEntry[] = [];
  /** By their places on the wire. */
  instances: Instance[] = [];
  /** That of the newest message, epoch ms of the app's clock. */
  now = 0;
  #byName = new Map<string, Instance>();
  #sinceWeighed = 0;

  byName(name: string): Instance | undefined {
    return this.#byName.get(name);
  }

  /** The instance of which an entry of the timeline speaks: its own, or that of which it names a key, as `name[key]`. */
  ownerOf(name: string): Instance | undefined {
    for (let end = name.length; end > 0; end = name.lastIndexOf('[', end - 1)) {
      const owner = this.#byName.get(name.slice(0, end));
      if (owner !== undefined) return owner;
    }
    return undefined;
  }

  /** @returns whether another process speaks than before. */
  start(state: DashboardState): boolean {
    const before = this.process;
    const same = before?.id === state.process.id;
    const known = same ? this.#byName : new Map<string, Instance>();
    this.process = state.process;
    this.canAct = state.canAct;
    this.fleet = state.fleet;
    this.draining = state.draining;
    this.ingress = state.ingress;
    this.now = state.now;
    this.timeline = merge([], state.timeline);
    this.instances = state.instances.map((row) => new Instance(row, known.get(row.name)?.trend));
    this.#byName = new Map(this.instances.map((instance) => [instance.name, instance]));
    for (const sample of state.samples) this.instances[sample[0]]?.take(sample);
    for (const instance of this.instances) instance.pass(1);
    this.#weigh();
    return before !== undefined && !same;
  }

  /**
   * @param held whether rows must keep their places for a while, since somebody is about to choose one; one that gets
   * worse goes up all the same.
   */
  tick(tick: Tick, held = false): StateChange[] {
    const seconds = Math.min(TREND_SECONDS, Math.max(1, Math.round((tick.now - this.now) / 1000)));
    this.now = tick.now;
    this.draining = tick.draining;
    this.ingress = tick.ingress;
    this.timeline = merge(this.timeline, tick.timeline);
    // Nothing was said because nothing changed.
    if (seconds > 1) this.instances.forEach((instance) => instance.pass(seconds - 1, held));
    for (const { index, ...row } of tick.added) {
      const before = this.#byName.get(row.name);
      if (before !== undefined) before.replaced = true;
      const instance = new Instance(row);
      this.instances[index] = instance;
      this.#byName.set(row.name, instance);
    }
    const changes: StateChange[] = [];
    for (const sample of tick.samples) {
      const instance = this.instances[sample[0]];
      if (instance === undefined) continue;
      const from = instance.numbers.state;
      instance.take(sample);
      const to = instance.numbers.state;
      if (from !== null && to !== null && from !== to) changes.push({ name: instance.name, to });
    }
    this.instances.forEach((instance) => instance.pass(1, held));
    this.#sinceWeighed += seconds;
    if (this.#sinceWeighed >= WEIGHED_EACH_SECONDS && !held) this.#weigh();
    return changes;
  }

  /** A second has passed in which the app said nothing: all goes on as it was. */
  idle(now: number): void {
    const { draining, ingress } = this;
    this.tick({ now, draining, added: [], samples: [], timeline: [], ingress });
  }

  #weigh(): void {
    this.#sinceWeighed = 0;
    this.instances.forEach((instance) => instance.weigh());
  }
}
