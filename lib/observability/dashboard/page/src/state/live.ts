import { signal } from '@preact/signals';
import { Stream, type Connection } from '../client/stream.js';
import { Board, type StateChange } from '../model/board.js';
import { visible } from '../model/format.js';
import { STATE_LABELS } from '../model/standing.js';

/** All that the app told. Whoever shows something of it reads {@link version}, which grows with each message. */
export const board = new Board();
export const version = signal(0);
export const connection = signal<Connection>({ kind: 'connecting' });
/** The app's time, epoch ms; moves each second, whether messages come or not. */
export const clock = signal(Date.now());
/** What a screen reader says next. */
export const announcement = signal('');

/** An app in which nothing changes says nothing. */
const QUIET_MS = 1_500;

let ahead = 0;
let held = false;

/** Rows keep their places while somebody is about to choose one. */
export function holdPlaces(hold: boolean): void {
  held = hold;
}

export function announce(text: string): void {
  announcement.value = text;
}

export function startLive(): void {
  const stream = new Stream({
    state(state) {
      ahead = state.now - Date.now();
      if (board.start(state)) announce('Another process answers now.');
      version.value++;
    },
    tick(tick) {
      ahead = tick.now - Date.now();
      const changes = board.tick(tick, held);
      if (changes.length > 0) announce(told(changes));
      version.value++;
    },
    connection(next) {
      if (next.kind === 'lost' && connection.value.kind === 'live') announce('Connection lost.');
      if (next.kind === 'live' && connection.value.kind === 'lost') announce('Live again.');
      connection.value = next;
    },
  });
  stream.open();
  setInterval(() => {
    const now = Date.now() + ahead;
    if (connection.value.kind === 'live' && now - board.now >= QUIET_MS) {
      board.idle(now);
      version.value++;
    }
    clock.value = now;
  }, 1000);
  // A page that slept, or was offline, does not wait for the rest of a long pause.
  const again = (): void => {
    if (connection.value.kind === 'lost' && document.visibilityState === 'visible') stream.open();
  };
  addEventListener('online', again);
  document.addEventListener('visibilitychange', again);
}

/** At most three by name: a whole outage in one breath. */
function told(changes: readonly StateChange[]): string {
  if (changes.length <= 3) return changes.map(({ name, to }) => `${visible(name)} is ${STATE_LABELS[to]}.`).join(' ');
  const counts = new Map<string, number>();
  for (const { to } of changes) counts.set(STATE_LABELS[to], (counts.get(STATE_LABELS[to]) ?? 0) + 1);
  return [...counts].map(([state, number]) => `${number} breakers are ${state}.`).join(' ');
}
