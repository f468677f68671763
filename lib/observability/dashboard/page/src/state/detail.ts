import { effect, signal, untracked } from '@preact/signals';
import type { InstanceDetail } from '../../../protocol.js';
import { fetchDetail } from '../client/requests.js';
import { connection, version } from './live.js';
import { route } from './place.js';

/** What is known of the instance that is open. */
export interface Detail {
  readonly name: string;
  readonly data: InstanceDetail | null;
  /** Why there is nothing newer. */
  readonly fault: string | null;
}

export const detail = signal<Detail | null>(null);

/** The charts have a point for some seconds each: asking more often shows nothing new. */
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
    detail.value = name === null ? null : { name, data: null, fault: null };
    if (name !== null) void ask(name);
  });
  effect(() => {
    void version.value;
    const open = untracked(() => detail.value);
    if (open === null || running !== undefined || document.hidden || Date.now() - askedAt < EACH_MS) return;
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
