import { describe, expect, it } from 'vitest';
import { mysqlErrorKind } from '../../../../lib/data/database/mysql/mysql-errors.js';
import { postgresErrorKind } from '../../../../lib/data/database/postgres/postgres-errors.js';

describe('an error of MySQL or MariaDB', () => {
  it.each([
    ['a lost connection', { code: 'PROTOCOL_CONNECTION_LOST' }, 'unavailable'],
    ['a refused connection', { code: 'ECONNREFUSED', errno: -111 }, 'unavailable'],
    ['too many connections', { errno: 1040, sqlState: '08004' }, 'unavailable'],
    ['too many connections of a user', { errno: 1203, sqlState: '42000' }, 'unavailable'],
    ['a wait for a lock that took too long', { errno: 1205, sqlState: 'HY000' }, 'unavailable'],
    ['a full disk', { errno: 1114, sqlState: 'HY000' }, 'unavailable'],
    ['a wrong password', { errno: 1045, sqlState: '28000' }, 'denied'],
    ['no such database', { errno: 1049, sqlState: '42000' }, 'denied'],
    ['a right that is missing', { errno: 1142, sqlState: '42000' }, 'denied'],
    ['a user who was blocked for wrong passwords', { errno: 4150, sqlState: 'HY000' }, 'denied'],
    ['a password of an old form', { errno: 1275, sqlState: 'HY000' }, 'denied'],
    ['a connection that had to be encrypted', { errno: 3159, sqlState: 'HY000' }, 'denied'],
    ['a way to log in that is unknown', { code: 'AUTH_SWITCH_PLUGIN_ERROR' }, 'denied'],
    ['a socket without rights', { code: 'EACCES', errno: -13, syscall: 'connect' }, 'denied'],
    ['a firewall', { code: 'EACCES', errno: -13, syscall: 'connect', port: 3306 }, 'unavailable'],
    ['a statement that was not sent', new Error("Can't add new command when connection is in closed state"), 'lost'],
    ['a missing table', { errno: 1146, sqlState: '42S02' }, 'unavailable'],
    ['a deadlock', { errno: 1213, sqlState: '40001' }, 'conflict'],
    ['--read-only', { errno: 1290, sqlState: 'HY000' }, 'readOnly'],
    ['a read-only transaction', { errno: 1792, sqlState: '25006' }, 'readOnly'],
    ['--innodb-read-only', { errno: 1836, sqlState: 'HY000' }, 'readOnly'],
    ['a value that is too long', { errno: 1406, sqlState: '22001' }, 'rejected'],
    ['a violated constraint', { errno: 4025, sqlState: '23000' }, 'rejected'],
    ["a trigger's refusal", { errno: 1644, sqlState: '45000' }, 'rejected'],
    ['a packet that is too large', { errno: 1153, sqlState: '08S01' }, 'rejected'],
    ['no error at all', undefined, 'unavailable'],
  ])('is judged: %s', (_, error, kind) => {
    expect(mysqlErrorKind(error)).toBe(kind);
  });
});

describe('an error of PostgreSQL', () => {
  it.each([
    ['a lost connection', new Error('Connection terminated unexpectedly'), 'unavailable'],
    ['a refused connection', { code: 'ECONNREFUSED' }, 'unavailable'],
    ['a socket that is written to after its end', { code: 'EPIPE' }, 'unavailable'],
    ['a server that shuts down', { code: '57P01' }, 'lost'],
    ['too many connections', { code: '53300' }, 'unavailable'],
    ['a full disk', { code: '53100' }, 'unavailable'],
    ['a statement that took too long', { code: '57014' }, 'unavailable'],
    ['a wrong password', { code: '28P01' }, 'denied'],
    ['no such database', { code: '3D000' }, 'denied'],
    ['no such schema', { code: '3F000' }, 'denied'],
    ['a right that is missing', { code: '42501' }, 'denied'],
    ['no password', new Error('SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string'), 'denied'],
    ['a socket without rights', { code: 'EACCES', syscall: 'connect' }, 'denied'],
    ['a firewall', { code: 'EACCES', syscall: 'connect', port: 5432 }, 'unavailable'],
    ['a crash of another process of the server', { code: '57P02' }, 'unavailable'],
    [
      'a statement that was not sent',
      new Error('Client has encountered a connection error and is not queryable'),
      'lost',
    ],
    ['a missing table', { code: '42P01' }, 'unavailable'],
    ['a deadlock', { code: '40P01' }, 'conflict'],
    ['a serialization failure', { code: '40001' }, 'conflict'],
    ['a standby', { code: '25006' }, 'readOnly'],
    ['a value out of range', { code: '22003' }, 'rejected'],
    ['a violated constraint', { code: '23514' }, 'rejected'],
    ["a trigger's refusal", { code: 'P0001' }, 'rejected'],
    ['null', null, 'unavailable'],
  ])('is judged: %s', (_, error, kind) => {
    expect(postgresErrorKind(error)).toBe(kind);
  });
});
