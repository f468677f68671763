import type { ServerErrorKind } from '../server/server-backend.js';
import { isSocketDenied } from '../server/socket-denied.js';

/** --read-only, a read-only transaction, --innodb-read-only. */
const READ_ONLY = new Set([1290, 1792, 1836]);
/** MariaDB: the record has changed since it was read; a deadlock; a prepared statement that must be prepared again. */
const CONFLICT = new Set([1020, 1213, 1615]);
/**
 * A wrong password, no such user, host or database, a right that is missing: for a database, a table, a column, a command
 * of the server's; an expired password, a locked account; a way to log in, or a connection in clear text, that the server
 * does not take.
 */
const DENIED = new Set([
  1044, 1045, 1049, 1130, 1131, 1141, 1142, 1143, 1147, 1227, 1251, 1275, 1370, 1524, 1698, 1820, 1862, 3118, 3159,
  3955, 4150, 4151,
]);
/** The driver's words where it does not know, or does not dare, the way to log in that the server asks for. */
const REFUSED_LOGIN = new Set<unknown>(['AUTH_SWITCH_PLUGIN_ERROR', 'MYSQL_CLEAR_PASSWORD_NOT_ENABLED']);
/** The driver's words for a statement that it did not send. */
const UNSENT = /^Can't add new command when connection is in closed state/;
/** A packet above max_allowed_packet; a string that its column cannot hold; a violated check. */
const REJECTED = new Set([1153, 1366, 3819]);
/**
 * A data exception, an integrity violation, a trigger's own refusal. Not 42: that the table is missing or forbidden
 * says nothing against the write, and is the class of too many connections of a user, too.
 */
const REJECTED_STATE = /^(?:22|23|45)/;

/**
 * What an error of mysql2 says.
 *
 * @see https://mariadb.com/kb/en/mariadb-error-code-reference/
 */
export function mysqlErrorKind(error: unknown): ServerErrorKind {
  const { errno, code, sqlState, message } = Object(error) as Readonly<Record<string, unknown>>;
  if (UNSENT.test(String(message))) return 'lost';
  if (REFUSED_LOGIN.has(code) || isSocketDenied(error)) return 'denied';
  // The errno of a socket's error is negative.
  if (typeof errno !== 'number' || errno < 0) return 'unavailable';
  if (READ_ONLY.has(errno)) return 'readOnly';
  if (CONFLICT.has(errno)) return 'conflict';
  if (DENIED.has(errno)) return 'denied';
  const isRejected = REJECTED.has(errno) || (typeof sqlState === 'string' && REJECTED_STATE.test(sqlState));
  return isRejected ? 'rejected' : 'unavailable';
}
