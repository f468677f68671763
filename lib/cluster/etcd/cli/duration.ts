import { UsageError } from '../../../cli/shell/command.js';

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** `90s`, `15m` or `2h` as ms. @throws UsageError */
export function durationOf(text: string): number {
  const [, figure, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text) ?? [];
  const ms = UNITS[unit ?? ''];
  if (figure === undefined || ms === undefined)
    throw new UsageError(`--for: expected a duration such as 90s, 15m or 2h, got '${text}'`);
  return Number(figure) * ms;
}
