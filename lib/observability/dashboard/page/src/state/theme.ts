import { effect, signal } from '@preact/signals';

/** `system` follows the machine, also while the page is open. */
export type Theme = 'system' | 'light' | 'dark';

const KEY = 'bulwark-theme';
const dark = matchMedia('(prefers-color-scheme: dark)');

export const theme = signal<Theme>(stored());
/** Which of the two is shown. */
export const shownTheme = signal<'light' | 'dark'>('light');

/** Keeps the document in the theme that was chosen. */
export function followTheme(): void {
  const show = (): void => {
    shownTheme.value = theme.value === 'system' ? (dark.matches ? 'dark' : 'light') : theme.value;
    document.documentElement.dataset['theme'] = shownTheme.value;
  };
  effect(show);
  dark.addEventListener('change', show);
}

export function chooseTheme(chosen: Theme): void {
  theme.value = chosen;
  try {
    localStorage.setItem(KEY, chosen);
  } catch {
    // Where nothing may be stored, the choice holds until the page is closed.
  }
}

function stored(): Theme {
  try {
    const value = localStorage.getItem(KEY);
    return value === 'light' || value === 'dark' ? value : 'system';
  } catch {
    return 'system';
  }
}
