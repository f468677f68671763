import { inspect } from 'node:util';

/** What an error says, whatever was thrown: asking a strange value for its text may fail as well. */
export function textOf(error: unknown): string {
  try {
    return error instanceof Error ? error.message : String(error);
  } catch {
    return inspect(error);
  }
}
