export type Level = 'debug' | 'log' | 'warn' | 'error';

/** A line of the log is no longer than this, in characters: what is written there may come from anywhere. */
const MAX_LINE = 4_000;

/** A text as it may be logged. */
export function logLine(text: string): string {
  if (text.length <= MAX_LINE) return text;
  return `${text.slice(0, MAX_LINE)}... (${text.length - MAX_LINE} characters more)`;
}
