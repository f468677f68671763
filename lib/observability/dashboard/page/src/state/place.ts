import { computed, signal } from '@preact/signals';
import { listed, type Filter } from '../model/order.js';
import { addressOf, routeOf } from '../model/route.js';
import { board, version } from './live.js';

export const route = signal(routeOf(location.hash));
export const filter = signal<Filter>({ text: '', standing: null });
/** The instance that the keyboard is on. */
export const active = signal<string | null>(null);
/** What the timeline is filtered by. */
export const timelineWords = signal('');

/** The list as it is shown. */
export const rows = computed(() => {
  void version.value;
  return listed(Object.values(board.instances), filter.value);
});

export function followAddress(): void {
  addEventListener('hashchange', () => (route.value = routeOf(location.hash)));
}

export function openInstance(name: string): void {
  location.hash = addressOf(name);
}

export function openList(): void {
  location.hash = '#/';
}
