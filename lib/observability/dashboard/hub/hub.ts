import type { EventBus } from '../../../events/event-bus.js';
import type { ResilienceEvent } from '../../../events/resilience-event.js';
import type { Clock, Timer } from '../../../kernel/clock.js';
import type { ReadModel } from '../../../read-model/read-model.js';
import type { HistoryPoint } from '../protocol.js';
import { Board } from './board.js';
import { Feed, type CommonState } from './feed.js';
import { POINT_MS } from './history.js';
import { oneLine } from '../one-line.js';
import { LastErrors } from './last-errors.js';
import { Timeline } from './timeline.js';
import { kindOf, toldOf } from './told.js';
import { MOST_VIEWERS, Viewers, type Outlet } from './viewers.js';

/** While somebody looks on there is news once in so long, ms. */
const TICK_MS = 1_000;
/** A timer may fire a little early. */
const SLACK_MS = 100;

/** What the hub looks at. */
export interface HubInit {
  readonly model: ReadModel;
  readonly events: EventBus;
  readonly clock: Clock;
  readonly isDraining: () => boolean;
  /** Hears of every name that is no longer in use. */
  readonly watchReleases: (listener: (name: string) => void) => () => void;
}

/** Looks at the app once for all clients: each second while somebody looks on, else only for the charts. */
export class Hub {
  readonly errors: LastErrors;
  /** Who has changed the rules last; undefined: nobody has. */
  rulesBy: string | undefined;
  readonly #timeline = new Timeline();
  readonly #board: Board;
  readonly #feed: Feed;
  readonly #viewers: Viewers;
  readonly #clock: Clock;
  readonly #ends: readonly (() => void)[];
  #timer: Timer | undefined;
  #pointAt: number;
  #closed = false;

  constructor({ model, events, clock, isDraining, watchReleases }: HubInit) {
    this.#clock = clock;
    this.#pointAt = clock.now();
    this.errors = new LastErrors(clock);
    this.#board = new Board(model, clock.now());
    this.#feed = new Feed(this.#board, this.#timeline, () => clock.wallNow(), isDraining);
    this.#viewers = new Viewers(this.#feed);
    this.#ends = [
      model.countCalls(),
      model.watchFailures((name, error) => this.errors.add(name, error)),
      events.watchChanges({
        changed: (event) => this.#changed(event),
        repeated: (type, name) => this.#timeline.count(kindOf(type, name), clock.wallNow()),
      }),
      watchReleases((name) => {
        this.#board.leave(name);
        this.errors.forget(name);
      }),
    ];
    this.#arm();
  }

  /** What all clients see, with numbers that are no older than a second. @throws ResilienceConfigurationError */
  get state(): CommonState {
    if (this.#viewers.count === 0) this.#board.renumber();
    const anyCame = this.#board.refresh();
    if (anyCame || this.#clock.now() - this.#board.lookedAt >= TICK_MS - SLACK_MS) this.#look();
    return this.#feed.state;
  }

  /** The row of an instance; undefined: there is none of this name. */
  row(name: string): CommonState['instances'][number] | undefined {
    if (this.#board.row(name) === undefined) this.#board.refresh();
    return this.#board.row(name);
  }

  historyOf(name: string): HistoryPoint[] {
    return this.#board.historyOf(name);
  }

  /** Whether there is room for another who looks on. */
  get hasRoom(): boolean {
    return !this.#closed && this.#viewers.count < MOST_VIEWERS;
  }

  /**
   * Lets somebody look on.
   *
   * @param everything all that there is to see, as this client may see it ...
   * @param first ... and what that is now.
   * @returns a function to call when it has gone.
   */
  join(outlet: Outlet, everything: () => string, first: string): () => void {
    const leave = this.#viewers.add(outlet, everything, first, this.#clock.now());
    if (this.#viewers.count === 1) this.#arm();
    return leave;
  }

  /** Ends all streams; nobody can look on any more. */
  endStreams(): void {
    this.#closed = true;
    this.#viewers.end();
  }

  close(): void {
    this.endStreams();
    for (const end of this.#ends) end();
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #changed(event: ResilienceEvent): void {
    if (event.type === 'ruleChange') this.rulesBy = oneLine(`${event.by} (${event.source})`);
    const told = toldOf(event);
    if (told !== undefined) this.#timeline.add(told, event.at);
  }

  #arm(): void {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer);
    const ms = this.#viewers.count > 0 ? TICK_MS : POINT_MS;
    this.#timer = this.#clock.setTimeout(() => this.#turn(), ms);
    this.#timer.unref();
  }

  #turn(): void {
    this.#arm();
    this.#look();
    this.#viewers.tell(this.#clock.now());
  }

  #look(): void {
    const now = this.#clock.now();
    this.#board.read(now);
    if (now - this.#pointAt < POINT_MS - SLACK_MS) return;
    this.#pointAt = now;
    this.#board.point(now, this.#clock.wallNow());
  }
}
