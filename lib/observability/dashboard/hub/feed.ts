import type { DashboardState, Tick } from '../protocol.js';
import type { Board } from './board.js';
import type { Timeline } from './timeline.js';

/** The first message tells so many entries of the timeline, and each of those after it: a page shows no more at once. */
const MOST_AT_FIRST = 200;
const MOST_AT_ONCE = 100;

/** How far a client has read. */
export interface Cursor {
  readonly generation: number;
  readonly look: number;
  readonly rows: number;
  readonly revision: number;
  readonly draining: boolean;
}

/** What all clients see alike. */
export type CommonState = Omit<DashboardState, 'process' | 'canAct' | 'fleet'>;

/** Puts together what clients are told, from what has changed since they were last told anything. */
export class Feed {
  constructor(
    private readonly board: Board,
    private readonly timeline: Timeline,
    private readonly wallNow: () => number,
    private readonly isDraining: () => boolean,
  ) {}

  /** Where a client is that has read everything. */
  get cursor(): Cursor {
    const { generation, look, size: rows } = this.board;
    return { generation, look, rows, revision: this.timeline.revision, draining: this.isDraining() };
  }

  get state(): CommonState {
    return {
      now: this.wallNow(),
      draining: this.isDraining(),
      instances: this.board.rows,
      samples: this.board.samples,
      timeline: this.timeline.newest(MOST_AT_FIRST),
      ingress: this.board.ingress,
    };
  }

  /** What is new since; undefined: nothing. */
  since({ look, rows, revision, draining }: Cursor): Tick | undefined {
    const tick: Tick = {
      now: this.wallNow(),
      draining: this.isDraining(),
      added: this.board.rowsFrom(rows),
      samples: this.board.samplesSince(look),
      timeline: this.timeline.since(revision, MOST_AT_ONCE),
      ingress: this.board.ingress,
    };
    const isNew =
      tick.samples.length + tick.added.length + tick.timeline.length > 0 ||
      this.board.ingressChangedAt > look ||
      tick.draining !== draining;
    return isNew ? tick : undefined;
  }
}
