import { helpOpen, intent } from './dialogs.js';
import { openList, route, filter } from './place.js';

/** Keys that work wherever the focus is, save in a field or a dialog. */
export function followKeys(): void {
  addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (intent.value !== null || helpOpen.value) return;
    const typing = event.target instanceof Element && event.target.matches('input, select, textarea');
    if (event.key === 'Escape') back(typing);
    else if (typing) return;
    else if (event.key === '/') take(event, () => focusOn('search'));
    else if (event.key === '?') take(event, () => (helpOpen.value = true));
    else if (['j', 'k', 'ArrowDown', 'ArrowUp'].includes(event.key) && event.target === document.body)
      take(event, () => focusOn('list'));
  });
}

function back(typing: boolean): void {
  if (typing) focusOn('list');
  else if (route.value.page !== 'list') openList();
  else filter.value = { text: '', standing: null };
}

function take(event: Event, act: () => void): void {
  event.preventDefault();
  act();
}

function focusOn(id: string): void {
  document.getElementById(id)?.focus();
}
