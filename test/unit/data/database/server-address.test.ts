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
    ['mysql://127.0.0.1/d?ssl=true', 'asks for verify-full at the address 127.0.0.1; expected the name of a host'],
    ['mysql://[::1]/d?sslmode=verify-full', 'asks for verify-full at the address ::1'],
  ])('is refused: %s', (url, message) => {
    expect(parseAddress(url)).toContain(message);
  });

  const tls = (mode: string, rootCertificates?: string) => ({ tls: { mode, rootCertificates }, ignored: [] });

  it.each<[provider: string, url: string, address: object]>([
    ['Prisma', 'postgresql://u:p@h:5432/d?schema=public', { schema: 'public', ignored: [], tls: undefined }],
    ['Prisma', 'postgresql://u:p@localhost/d?host=/tmp', { socket: '/tmp', host: 'localhost' }],
    ['Prisma', 'mysql://u:p@h/d?socket=/run/mysqld.sock', { socket: '/run/mysqld.sock' }],
    ['Prisma', 'mysql://u:p@h/d?sslaccept=strict', tls('verify-full')],
    ['Prisma', 'mysql://u:p@h/d?sslaccept=accept_invalid_certs', tls('require')],
    ['Prisma', 'postgres://u:p@h/d?sslmode=require&sslaccept=strict', tls('verify-full')],
    ['Prisma', 'mysql://u:p@h/d?connection_limit=5&pool_timeout=2', { ignored: ['connection_limit', 'pool_timeout'] }],
    ['Prisma', 'mysql://u:p@h/d?schema=public', { schema: undefined, ignored: ['schema'] }],
    [
      'Neon',
      'postgresql://u:p@ep-x-pooler.eu.aws.neon.tech/d?sslmode=require&channel_binding=require&options=endpoint%3Dep-x',
      { tls: { mode: 'require' }, startup: { options: 'endpoint=ep-x' }, ignored: ['channel_binding'] },
    ],
    [
      'Supabase',
      'postgresql://postgres.ref:p@aws-0.pooler.supabase.com:6543/postgres?pgbouncer=true&connection_limit=1',
      { port: 6543, pooled: true, user: 'postgres.ref', ignored: ['connection_limit'] },
    ],
    ['PlanetScale', 'mysql://u:p@aws.connect.psdb.cloud/d?ssl={"rejectUnauthorized":true}', tls('verify-full')],
    ['PlanetScale', 'mysql://u:p@h/d?ssl=%7B%22rejectUnauthorized%22%3Atrue%7D', tls('verify-full')],
    ['Heroku', 'postgres://u:p@h/d?ssl=true&sslmode=require', tls('require')],
    ['Heroku', 'postgres://u:p@h/d?sslmode=no-verify', tls('require')],
    ['DigitalOcean', 'mysql://u:p@h:25060/d?ssl-mode=REQUIRED', tls('require')],
    ['Cloud SQL', 'postgres://u:p@/d?host=/cloudsql/a:b:c', { socket: '/cloudsql/a:b:c', user: 'u', password: 'p' }],
    ['libpq', 'postgres:///d?host=/run/postgresql&port=5433', { socket: '/run/postgresql', port: 5433 }],
    ['libpq', 'postgres://%2Frun%2Fpostgresql/d', { socket: '/run/postgresql' }],
    ['libpq', 'postgres://h/d?user=u&password=p', { user: 'u', password: 'p', ignored: [] }],
    ['libpq', 'postgres://h/d?sslmode=prefer', tls('prefer')],
    ['libpq', 'postgres://h/d?sslmode=allow', tls('prefer')],
    ['libpq', 'postgres:///d?host=/tmp&sslmode=prefer', { tls: undefined }],
    ['libpq', 'postgres://h/d?sslmode=require&sslrootcert=/ca.pem', tls('verify-ca', '/ca.pem')],
    ['libpq', 'postgres://h/d?sslmode=verify-full&sslrootcert=system', tls('verify-full')],
    ['libpq', 'postgres://h/d?application_name=shop', { startup: { application_name: 'shop' }, ignored: [] }],
    ['MySQL', 'mysql://h/d?ssl-mode=PREFERRED', tls('prefer')],
    [
      'unknown',
      'mysql://h/d?charset=latin1&charset=utf8&__proto__=1&constructor=2',
      { ignored: ['charset', '__proto__', 'constructor'] },
    ],
    ['agreeing', 'postgres://h/d?ssl=false&sslmode=disable', { tls: undefined }],
  ])('is read as providers give it: %s, %s', (_, url, address) => {
    expect(parseAddress(url)).toMatchObject(address);
  });

  it.each([
    ['sslrootcert=/ca.pem', 'has sslrootcert and no sslmode; expected sslmode=verify-ca or verify-full beside it'],
    ['sslrootcert=/ca.pem&sslmode=disable', 'has sslrootcert and sslmode=disable'],
    ['sslrootcert=/ca.pem&sslmode=prefer', 'has sslrootcert and sslmode=prefer'],
    ['sslmode=verify-full&sslrootcert=', 'has an empty sslrootcert'],
    ['sslmode=verify-full&ssl=false', 'has sslmode=verify-full and ssl=false, which contradict each other'],
    ['ssl=false&sslmode=require', 'which contradict each other'],
    ['ssl=0&sslaccept=strict', 'which contradict each other'],
    ['sslmode=prefer&ssl=true', 'which contradict each other'],
    ['sslmode=verify-ca&ssl-mode=VERIFY_IDENTITY', 'which contradict each other'],
    ['sslmode=require&sslmode=disable', 'has sslmode twice'],
    ['sslmode=require&sslmode=require', 'has sslmode twice'],
    ['sslrootcert=/a&sslrootcert=/b&sslmode=verify-ca', 'has sslrootcert twice'],
    ['sslmode=constructor', 'has sslmode=constructor; expected sslmode=disable'],
    ['sslmode=__proto__', 'has sslmode=__proto__'],
    ['ssl=toString', 'has ssl=toString'],
    ['sslmode=', 'has sslmode=; expected'],
    ['sslaccept=maybe', 'has sslaccept=maybe'],
    ['ssl={"ca":"x"}', 'has ssl=...; expected'],
    ['sslcert=/c.pem&sslkey=/k.pem&sslmode=verify-full', "has the parameter 'sslcert', which is not understood"],
    ['sslidentity=/c.p12&sslpassword=secret', "has the parameter 'sslidentity'"],
    ['SSLMODE=require', "has the parameter 'SSLMODE'"],
    ['useSSL=true', "has the parameter 'useSSL'"],
    ['tls=true', "has the parameter 'tls'"],
    ['requiressl=1', "has the parameter 'requiressl'"],
    ['verifyServerCertificate=true', "has the parameter 'verifyServerCertificate'"],
    ['gssencmode=require', "has the parameter 'gssencmode'"],
    ['host=/tmp&sslmode=require', 'asks for encryption at the socket /tmp, which has none'],
    ['port=99999', 'has no valid port'],
    ['host=a&host=b', "has the parameter 'host' twice"],
  ])('never means clear text by accident, and is refused: %s', (query, message) => {
    expect(parseAddress(`postgres://h/d?${query}`)).toContain(message);
  });

  it('with a user twice is refused, and no password is shown', () => {
    const problem = parseAddress('postgres://u:secret@h/d?password=other');

    expect(problem).toBe("option 'url' has a password and the parameter 'password'; expected one");
  });

  it('is shown without user and password', () => {
    const address = parseAddress('postgres://me:secret@[::1]/d?sslmode=require') as ServerAddress;

    expect(describeAddress(address)).toBe('postgres://[::1]:5432/d');
  });
});
