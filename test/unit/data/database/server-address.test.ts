import { describe, expect, it } from 'vitest';
import { parseAddress } from '../../../../lib/data/database/database-address.js';
import { describeAddress, type ServerAddress } from '../../../../lib/data/database/server/server-address.js';

const plain = { user: undefined, password: '', tls: undefined };

describe('the URL of a server', () => {
  it.each<[string, Partial<ServerAddress>]>([
    ['mysql://h/d', { kind: 'mysql', host: 'h', port: 3306, database: 'd', ...plain }],
    ['mariadb://h:1/d', { kind: 'mysql', port: 1 }],
    ['postgresql://h/d', { kind: 'postgres', port: 5432 }],
    ['POSTGRES://u@h/d', { kind: 'postgres', user: 'u', password: '' }],
    ['mysql://a%40b:p%3A%2F%25@h/my%20db', { user: 'a@b', password: 'p:/%', database: 'my db' }],
    ['postgres://[::1]:5/d', { host: '::1', port: 5 }],
    ['postgres://h/d?sslmode=disable', { tls: undefined }],
    ['postgres://h/d?sslmode=require', { tls: { mode: 'require', rootCertificates: undefined } }],
    ['mysql://h/d?ssl-mode=REQUIRED', { tls: { mode: 'require', rootCertificates: undefined } }],
    ['mysql://h/d?ssl=true&sslrootcert=/ca.pem', { tls: { mode: 'verify-full', rootCertificates: '/ca.pem' } }],
    ['mysql://h/d?sslmode=verify-ca', { tls: { mode: 'verify-ca', rootCertificates: undefined } }],
  ])('is read: %s', (url, address) => {
    expect(parseAddress(url)).toMatchObject(address);
  });

  it.each([
    ['mysql://h', 'names no database; expected mysql://user:password@host:3306/database'],
    ['mysql://h/a/b', 'names no database'],
    ['postgres:///d', 'has no host; expected postgres://user:password@host:5432/database'],
    ['mysql://h:x/d', 'is no valid URL'],
    ['mysql://u:100%@h/d', "has a '%' that encodes nothing"],
    ['mysql://u@h%zz/d', "has a '%' that encodes nothing"],
    ['mysql://u:a#b@h/d', 'is no valid URL'],
    ['mysql://h/d?sslmode=prefer', 'has sslmode=prefer; expected sslmode=disable, require, verify-ca or verify-full'],
    ['mysql://127.0.0.1/d?ssl=true', 'asks for verify-full at the address 127.0.0.1; expected the name of a host'],
    ['mysql://[::1]/d?sslmode=verify-full', 'asks for verify-full at the address ::1'],
    ['mysql://h/d?charset=latin1', "has the unknown parameter 'charset'"],
  ])('is refused: %s', (url, message) => {
    expect(parseAddress(url)).toContain(message);
  });

  it('is shown without user and password', () => {
    const address = parseAddress('postgres://me:secret@[::1]/d?sslmode=require') as ServerAddress;

    expect(describeAddress(address)).toBe('postgres://[::1]:5432/d');
  });
});
