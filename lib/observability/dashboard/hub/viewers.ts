import type { Cursor, Feed } from './feed.js';

/** So many may look on at once. */
export const MOST_VIEWERS = 50;
/** Whoever was told nothing for so long hears that the stream goes on, ms. */
const BEAT_MS = 15_000;
/** Whoever takes nothing for so long is let go, ms: it asks again if it is still there. */
const STUCK_MS = 60_000;

/** The stream of one client. */
export interface Outlet {
  /** Whether it has not taken yet what it was sent. */
  readonly isBlocked: boolean;
  send(event: string, data: string): void;
  beat(): void;
  end(): void;
}

interface Viewer {
  readonly outlet: Outlet;
  /** All that there is to see, as it may see it. */
  readonly everything: () => string;
  cursor: Cursor;
  /** When it last took something, by the monotonic clock. */
  spokeAt: number;
}

/** Those who look on: each hears what has changed since it last did, and whoever is slow hears it in fewer messages. */
export class Viewers {
  readonly #viewers = new Set<Viewer>();

  constructor(private readonly feed: Feed) {}

  get count(): number {
    return this.#viewers.size;
  }

  /** @returns a function to call when it has gone. */
  add(outlet: Outlet, everything: () => string, first: string, now: number): () => void {
    const viewer: Viewer = { outlet, everything, cursor: this.feed.cursor, spokeAt: now };
    outlet.send('state', first);
    this.#viewers.add(viewer);
    return () => void this.#viewers.delete(viewer);
  }

  /** Tells everybody what is new. */
  tell(now: number): void {
    const next = this.feed.cursor;
    // Most have read as far as all others.
    const ticks = new Map<string, string | undefined>();
    for (const viewer of this.#viewers) {
      if (viewer.outlet.isBlocked) {
        if (now - viewer.spokeAt >= STUCK_MS) viewer.outlet.end();
        continue;
      }
      const { cursor } = viewer;
      viewer.cursor = next;
      if (cursor.generation !== next.generation) this.#send(viewer, 'state', viewer.everything(), now);
      else {
        const tick = once(ticks, JSON.stringify(cursor), () => this.#tickSince(cursor));
        if (tick !== undefined) this.#send(viewer, 'tick', tick, now);
        else if (now - viewer.spokeAt >= BEAT_MS) {
          viewer.spokeAt = now;
          viewer.outlet.beat();
        }
      }
    }
  }

  end(): void {
    for (const { outlet } of this.#viewers) outlet.end();
    this.#viewers.clear();
  }

  #tickSince(cursor: Cursor): string | undefined {
    const tick = this.feed.since(cursor);
    return tick === undefined ? undefined : JSON.stringify(tick);
  }

  #send(viewer: Viewer, event: string, data: string, now: number): void {
    viewer.spokeAt = now;
    viewer.outlet.send(event, data);
  }
}

function once<V>(made: Map<string, V>, key: string, make: () => V): V {
  if (!made.has(key)) made.set(key, make());
  return made.get(key) as V;
}
