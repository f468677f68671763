import type { ServerErrorKind } from '../server/server-backend.js';
import { isSocketDenied } from '../server/socket-denied.js';

const READ_ONLY = '25006';
/** A serialization failure, a deadlock. */
const CONFLICT = new Set(['40001', '40P01']);
/**
 * An administrator, or a time limit of the server's, ended the connection. As the answer to a statement this comes before
 * its commit: behind the commit a server looks at such orders only once it has answered.
 */
const LOST = new Set(['57P01', '57P05']);
/** The driver's words for a statement that it did not send. */
const UNSENT = / is not queryable$/;
/** The driver's words where it cannot answer what the server asks of it: no password was given, say. */
const UNANSWERED = /^SASL: |^Unknown authenticationOk message type/;
/** A wrong password, no such user, no such database or schema, a right that is missing. */
const DENIED = /^(?:28[0-9A-Z]{3}|3D000|3F000|42501)$/;
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
  const { code, message } = Object(error) as { code?: unknown; message?: unknown };
  if (typeof code !== 'string') {
    if (UNANSWERED.test(String(message))) return 'denied';
    return UNSENT.test(String(message)) ? 'lost' : 'unavailable';
  }
  if (isSocketDenied(error)) return 'denied';
  if (LOST.has(code)) return 'lost';
  if (code === READ_ONLY) return 'readOnly';
  if (CONFLICT.has(code)) return 'conflict';
  if (DENIED.test(code)) return 'denied';
  return REJECTED.test(code) ? 'rejected' : 'unavailable';
}
