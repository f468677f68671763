import type { ReadModel } from '../../../read-model/read-model.js';
import type { CallCounts } from '../../../read-model/call-counts.js';
import type { HistoryPoint, Ingress, InstanceRow, Sample } from '../protocol.js';
import { PointTimes } from './history.js';
import { Row } from './row.js';

/** From so many rows of instances that are gone on all of them are numbered anew. */
const MOST_GONE = 500;

/** Every instance with its newest numbers. Rows keep their places, so that what changes can be told by place alone. */
export class Board {
  #rows: Row[] = [];
  #byName = new Map<string, Row>();
  readonly #times = new PointTimes();
  /** Counts the looks. */
  look = 0;
  /** Another one: the places of the rows are others. */
  generation = 0;
  ingress: Ingress | null = null;
  /** At which look what belongs to no row was last another one. */
  ingressChangedAt = 0;
  #lookedAt: number;
  #gone = 0;

  /** @param now of the monotonic clock, at which counting begins. */
  constructor(
    private readonly model: Pick<ReadModel, 'instances' | 'states' | 'counts' | 'ingress'>,
    now: number,
  ) {
    this.#lookedAt = now;
  }

  /** When it was last looked, by the monotonic clock. */
  get lookedAt(): number {
    return this.#lookedAt;
  }

  get rows(): readonly InstanceRow[] {
    return this.#rows.map(({ info }) => info);
  }

  get samples(): readonly Sample[] {
    return this.#rows.map(({ sample }) => sample);
  }

  /** What differs from what was seen at an earlier look. */
  samplesSince(look: number): Sample[] {
    return this.#rows.filter(({ changedAt }) => changedAt > look).map(({ sample }) => sample);
  }

  /** The rows from a place on. */
  rowsFrom(place: number): (InstanceRow & { index: number })[] {
    return this.#rows.slice(place).map(({ info, index }) => ({ ...info, index }));
  }

  get size(): number {
    return this.#rows.length;
  }

  /** The row of a name that is there. */
  row(name: string): InstanceRow | undefined {
    return this.#byName.get(name)?.info;
  }

  historyOf(name: string): HistoryPoint[] {
    return this.#byName.get(name)?.history(this.#times) ?? [];
  }

  /**
   * Finds the instances that came, and what each guards now: it makes the plans of the app, so it is not done each time.
   *
   * @returns whether any came.
   */
  refresh(): boolean {
    const before = this.#rows.length;
    for (const { name, guards, policies } of this.model.instances()) {
      const info: InstanceRow = { name, guards, policies };
      const known = this.#byName.get(name);
      if (known === undefined) this.#add(info);
      else known.info = info;
    }
    return this.#rows.length > before;
  }

  /** Reads the numbers of all of them. */
  read(now: number): void {
    const states = this.model.states();
    const counts = new Map<string, CallCounts>(this.model.counts());
    const isNew = (name: string): boolean => !this.#byName.has(name);
    this.look++;
    if ([...states.keys()].some(isNew) || [...counts.keys()].some(isNew)) this.refresh();
    for (const row of this.#rows) {
      if (row.gone) continue;
      if (row.look(now, this.#lookedAt, states.get(row.info.name), counts.get(row.info.name)))
        row.changedAt = this.look;
    }
    this.#lookedAt = now;
    this.#readIngress();
    if (this.#gone > MOST_GONE) this.renumber();
  }

  /** Adds a point to every chart. @param at epoch ms. */
  point(now: number, at: number): void {
    const place = this.#times.add(at);
    for (const row of this.#rows) if (!row.gone) row.point(now, place);
  }

  /** An instance is gone. */
  leave(name: string): void {
    const row = this.#byName.get(name);
    if (row === undefined) return;
    this.#byName.delete(name);
    row.leave();
    // It is told with what changes next.
    row.changedAt = this.look + 1;
    this.#gone++;
  }

  /** Forgets the places of those that are gone. */
  renumber(): void {
    if (this.#gone === 0) return;
    this.#rows = this.#rows.filter(({ gone }) => !gone).map((row, index) => row.at(index));
    this.#gone = 0;
    this.generation++;
  }

  #add(info: InstanceRow): void {
    // Whoever looks next has not seen it.
    const row = new Row(this.#rows.length, info, this.look + 1);
    this.#rows.push(row);
    this.#byName.set(info.name, row);
  }

  #readIngress(): void {
    const ingress = ingressOf(this.model.ingress());
    if (JSON.stringify(ingress) !== JSON.stringify(this.ingress)) this.ingressChangedAt = this.look;
    this.ingress = ingress;
  }
}

function ingressOf(report: ReturnType<ReadModel['ingress']>): Ingress | null {
  if (report === undefined) return null;
  const { active, limit, loopDelayMs, shed } = report;
  return {
    active,
    limit: Number.isFinite(limit) ? Math.round(limit) : null,
    loopDelayMs: Math.round(loopDelayMs),
    shed: Object.values(shed).reduce((all, count) => all + count, 0),
  };
}
