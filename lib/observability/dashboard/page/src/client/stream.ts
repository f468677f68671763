import type { DashboardState, Tick } from '../../../protocol.js';
import { pauseMs } from '../model/backoff.js';
import { addressAt } from './base.js';
import { reasonOf } from './requests.js';

/** How the page hangs on the app. */
export type Connection =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'live' }
  /** `retryAt`: epoch ms of this machine; `reason`: why the app turned the page away, if it said so. */
  | { readonly kind: 'lost'; readonly retryAt: number; readonly reason: string | null };

export interface StreamListener {
  state(state: DashboardState): void;
  tick(tick: Tick): void;
  connection(connection: Connection): void;
}

/** After so long without a word the stream may have died in silence, ms: it is opened anew. */
const SILENCE_MS = 45_000;
/** An app that has not said how it is after so long is not there, ms. */
const FIRST_WORD_MS = 10_000;

/** The stream of the app, opened again whenever it breaks. */
export class Stream {
  readonly #listener: StreamListener;
  #failures = 0;
  #source: EventSource | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(listener: StreamListener) {
    this.#listener = listener;
  }

  open(): void {
    clearTimeout(this.#timer);
    this.#source?.close();
    const source = new EventSource(addressAt('api/stream'));
    this.#source = source;
    this.#timer = setTimeout(() => this.#lose(), FIRST_WORD_MS);
    source.addEventListener('state', ({ data }: MessageEvent<string>) => {
      this.#failures = 0;
      this.#heard();
      this.#listener.state(JSON.parse(data) as DashboardState);
      this.#listener.connection({ kind: 'live' });
    });
    source.addEventListener('tick', ({ data }: MessageEvent<string>) => {
      this.#heard();
      this.#listener.tick(JSON.parse(data) as Tick);
    });
    source.addEventListener('error', () => {
      const turnedAway = source.readyState === EventSource.CLOSED;
      this.#lose();
      if (turnedAway) void this.#askWhy();
    });
  }

  #heard(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.open(), SILENCE_MS);
  }

  #lose(): void {
    // The browser's own tries come each few seconds, for ever, and tell nobody.
    this.#source?.close();
    clearTimeout(this.#timer);
    this.#retry(null);
  }

  #retry(reason: string | null): void {
    this.#failures++;
    const pause = pauseMs(this.#failures, Math.random());
    this.#listener.connection({ kind: 'lost', retryAt: Date.now() + pause, reason });
    this.#timer = setTimeout(() => this.open(), pause);
  }

  /** An event source does not tell the status of its answer. */
  async #askWhy(): Promise<void> {
    const failures = this.#failures;
    const status = await fetch(addressAt('api/state')).then(
      async (response) => {
        await response.body?.cancel();
        return response.ok ? null : response.status;
      },
      () => null,
    );
    if (status === null || failures !== this.#failures) return;
    clearTimeout(this.#timer);
    this.#failures--;
    this.#retry(reasonOf(status));
  }
}
