/** What is shown where nothing was measured. */
export const NONE = '–';

/** `0`, `0.4`, `12`, `1,240`, `12.4k`, `3.1M`. */
export function count(value: number): string {
  if (value >= 1_000_000) return `${trimmed(value / 1_000_000)}M`;
  if (value >= 10_000) return `${trimmed(value / 1_000)}k`;
  if (value >= 1_000) return Math.round(value).toLocaleString('en-US');
  return trimmed(value);
}

/** A duration, ms: `0.4 ms`, `12 ms`, `1.2 s`, `3.5 min`, `2.0 h`. */
export function duration(ms: number | null): string {
  if (ms === null) return NONE;
  if (ms < 1_000) return `${trimmed(ms)} ms`;
  if (ms < 60_000) return `${trimmed(ms / 1_000)} s`;
  if (ms < 3_600_000) return `${trimmed(ms / 60_000)} min`;
  return `${trimmed(ms / 3_600_000)} h`;
}

/** A share of 0 to 1: `0 %`, `0.3 %`, `12 %`, `100 %`; never 100 % where something is left. */
export function percent(share: number | null): string {
  if (share === null || !Number.isFinite(share)) return NONE;
  const value = share * 100;
  if (value > 0 && value < 0.1) return '<0.1 %';
  if (value < 10) return `${trimmed(value)} %`;
  return `${share < 1 ? Math.min(99, Math.round(value)) : Math.round(value)} %`;
}

/** One figure behind the point below ten, none above. */
function trimmed(value: number): string {
  return value < 9.95 ? String(Math.round(value * 10) / 10) : String(Math.round(value));
}

/** The time of day in 24 hours, with seconds. */
export function timeOfDay(at: number): string {
  const date = new Date(at);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':');
}

/** Whole seconds that are left until `at`, never less than 0. */
export function secondsUntil(at: number, now: number): number {
  return Math.max(0, Math.ceil((at - now) / 1000));
}

/** Controls, and marks that turn the direction of writing, would make a name look like another. */
const HIDDEN = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;
const LONGEST_SHOWN = 300;

/** A text that came from elsewhere, such as a name, as one line of visible characters; at most 300 of them. */
export function visible(text: string): string {
  const cut = text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}… (${text.length} characters)` : text;
  return cut.replace(HIDDEN, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return `<${code.toString(16).toUpperCase().padStart(4, '0')}>`;
  });
}
