import { describe, expect, it } from 'vitest';
import { resolveEtcdOptions } from '../../../../lib/cluster/etcd/etcd-options-check.js';

const hosts = 'http://127.0.0.1:2379';

describe('resolveEtcdOptions', () => {
  it('has everything off by default', () => {
    expect(resolveEtcdOptions({ hosts })).toEqual({
      hosts,
      prefix: 'bulwark/',
      rules: false,
      breakers: 'off',
      quorum: 0.5,
      commands: false,
      ttl: 15,
    });
  });

  it.each([
    [{}, "option 'hosts'"],
    [{ hosts: [] }, "option 'hosts'"],
    [{ hosts: 'nowhere' }, "option 'hosts'"],
    [{ hosts, prefix: 'shop' }, "option 'prefix'"],
    [{ hosts, quorum: 0 }, "option 'quorum'"],
    [{ hosts, breakers: 'obey' }, "option 'breakers'"],
    [{ hosts, discovery: { service: 'a/b', address: 'x' } }, "option 'discovery'"],
    [{ hosts, discovery: { service: 'stock', address: 'x', drian: 5 } }, "option 'discovery'"],
    [{ hosts: ['http://127.0.0.1:1', 'https://127.0.0.1:2'] }, "option 'hosts': expected https:// at all"],
    [{ hosts, unknown: 1 }, 'unknown'],
  ])('refuses %j, and says what is wrong', (options, part) => {
    expect(() => resolveEtcdOptions(options)).toThrow(part);
  });

  const pem = Buffer.from('-----BEGIN CERTIFICATE-----');

  it.each([
    [
      { auth: { username: 'ann', password: 7 } },
      "option 'auth.password': expected a non-empty string, got something of the type number",
    ],
    [
      { auth: { username: '', password: 'x' } },
      "option 'auth.username': expected a non-empty string, got an empty one",
    ],
    [{ auth: { username: 'ann' } }, "option 'auth.password': expected a non-empty string, got nothing"],
    [
      { auth: { username: 'ann', password: 'x', pass: 'y' } },
      "option 'auth.pass': is not known; expected one of: username, password",
    ],
    [
      { credentials: { rootCertificate: 'text' } },
      "option 'credentials.rootCertificate': expected a Buffer, got something of the type string",
    ],
    [
      { credentials: { certChain: pem, privateKey: pem } },
      "option 'credentials.rootCertificate': expected a Buffer, got nothing",
    ],
    [
      { credentials: { rootCertificate: pem, privateKey: [7] } },
      "option 'credentials.privateKey': expected a Buffer, got something of the type array",
    ],
    [
      { credentials: { rootCertificate: pem, certChain: pem } },
      "option 'credentials': expected 'privateKey' and 'certChain' together",
    ],
    [
      { credentials: { rootCertificate: pem, certChain: pem, privateKey: Buffer.from('tr0ub4dor') } },
      "option 'credentials': expected a key and certificates as PEM",
    ],
    [{ credentials: { rootCertificate: pem }, hosts }, "option 'credentials': expected hosts that begin with https://"],
  ])('says what is wrong inside %j', (options, part) => {
    expect(() => resolveEtcdOptions({ hosts: 'https://127.0.0.1:2379', ...options })).toThrow(
      `ResilienceEtcdModule.forRoot: ${part}`,
    );
  });

  it('tells all that is wrong inside at once', () => {
    const options = { hosts, auth: { username: 1, password: 2 } };

    expect(() => resolveEtcdOptions(options)).toThrow(/2 mistakes:.*auth\.username.*auth\.password/s);
  });

  it('takes TLS and a user', () => {
    const options = {
      hosts: 'https://127.0.0.1:2379',
      auth: { username: 'ann', password: 'x' },
      credentials: { rootCertificate: pem },
    };

    expect(resolveEtcdOptions(options)).toMatchObject(options);
  });

  it.each([
    { hosts, auth: { username: 'ann', pass: 'tr0ub4dor' } },
    { hosts, auth: { username: 'ann', pasword: 'tr0ub4dor' } },
    { hosts, auth: { username: { name: 'tr0ub4dor' }, password: ['tr0ub4dor'] } },
    { hosts, credentials: { rootCertificate: 'tr0ub4dor', privateKey: Buffer.from('tr0ub4dor') } },
    { hosts, auth: 'tr0ub4dor' },
    { hosts, credentials: ['tr0ub4dor'] },
    { hosts, password: 'tr0ub4dor' },
    { hosts: 'http://ann:tr0ub4dor@127.0.0.1:2379' },
    { hosts: ['ann:tr0ub4dor@127.0.0.1:2379'] },
  ])('refuses %j without showing the secret', (options) => {
    expect(() => resolveEtcdOptions(options)).toThrow(/^(?!.*tr0ub4dor)/s);
  });
});
