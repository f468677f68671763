import type { ServerErrorKind } from '../server/server-backend.js';

const READ_ONLY = '25006';
/** A serialization failure, a deadlock. */
const CONFLICT = new Set(['40001', '40P01']);
/**
 * A data exception, an integrity violation, a limit of the server's, a trigger's own refusal. Not 42: that the table
 * is missing or forbidden says nothing against the write.
 */
const REJECTED = /^(?:22|23|54|P0)[0-9A-Z]{3}$/;

/**
 * What an error of pg says.
 *
 * @see https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
export function postgresErrorKind(error: unknown): ServerErrorKind {
  const { code } = Object(error) as { code?: unknown };
  if (typeof code !== 'string') return 'unavailable';
  if (code === READ_ONLY) return 'readOnly';
  if (CONFLICT.has(code)) return 'conflict';
  return REJECTED.test(code) ? 'rejected' : 'unavailable';
}
