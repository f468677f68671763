import { effect, signal, untracked } from '@preact/signals';
import type { InstanceDetail } from '../../../protocol.js';
import { fetchDetail } from '../client/requests.js';
import type { Second } from '../model/series.js';
import { board, connection, version } from './live.js';
import { route } from './place.js';

/** What is known of the instance that is open. */
export interface Detail {
  readonly name: string;
  readonly data: InstanceDetail | null;
  /** Why there is nothing newer. */
  readonly fault: string | null;
}

/** The newest seconds of the instance that is open: its history has a point for some seconds each only. */
export const seconds = signal<readonly Second[]>([]);
/** More than lie between two points of a history. */
const MOST_SECONDS = 30;

export const detail = signal<Detail | null>(null);

const EACH_MS = 2000;

let running: AbortController | undefined;
let askedAt = 0;

/** Asks for the instance that is open, and again with the messages of the stream. */
export function followDetail(): void {
  effect(() => {
    const place = route.value;
    running?.abort();
    running = undefined;
    const name = place.page === 'instance' ? place.name : null;
    seconds.value = [];
    detail.value = name === null ? null : { name, data: null, fault: null };
    if (name !== null) void ask(name);
  });
  effect(() => {
    void version.value;
    const open = untracked(() => detail.value);
    if (open === null) return;
    const numbers = board.byName(open.name)?.numbers;
    const before = untracked(() => seconds.value);
    if (numbers !== undefined && before.at(-1)?.at !== board.now)
      seconds.value = [...before, { at: board.now, numbers }].slice(-MOST_SECONDS);
    if (running !== undefined || document.hidden || Date.now() - askedAt < EACH_MS) return;
    if (untracked(() => connection.value.kind) === 'live') void ask(open.name);
  });
}

/** Asks at once, such as after an action. */
export function refreshDetail(): void {
  const name = detail.value?.name;
  running?.abort();
  if (name !== undefined) void ask(name);
}

async function ask(name: string): Promise<void> {
  const own = new AbortController();
  running = own;
  askedAt = Date.now();
  try {
    const data = await fetchDetail(name, own.signal);
    if (running === own) detail.value = { name, data, fault: null };
  } catch (error) {
    if (running !== own) return;
    const fault = error instanceof Error ? error.message : 'The app did not answer.';
    detail.value = { name, data: detail.value?.data ?? null, fault };
  } finally {
    if (running === own) running = undefined;
  }
}
