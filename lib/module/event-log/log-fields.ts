import { logLine } from './log-line.js';

/** What a line says, for loggers that keep more than text: they stand under one key, `bulwark`, where they meet no others. */
export interface LogFields {
  /** What happened: the type of the event that it tells of. */
  readonly event: string;
  /** The instance: the name given to it, or `Class.method`. */
  readonly instance?: string | undefined;
  readonly policy?: string | undefined;
  readonly [figure: string]: string | number | boolean | undefined;
}

/** The key under which the fields stand. */
export const FIELDS_KEY = 'bulwark';

/** Fields as they may be logged. */
export function fieldsOfLine(fields: LogFields): Record<typeof FIELDS_KEY, object> {
  const bounded = Object.entries(fields).map(([key, value]) => [
    key,
    typeof value === 'string' ? logLine(value) : value,
  ]);
  return { [FIELDS_KEY]: Object.fromEntries(bounded) as object };
}
