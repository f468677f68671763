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
    [{ hosts, auth: { username: 'ann', pass: 'tr0ub4dor' } }, "option 'auth'"],
    [{ hosts, unknown: 1 }, 'unknown'],
  ])('refuses %j, and says what is wrong', (options, part) => {
    expect(() => resolveEtcdOptions(options)).toThrow(part);
  });

  it.each([
    { hosts, auth: { username: 'ann', pass: 'tr0ub4dor' } },
    { hosts, auth: { username: 'ann', pasword: 'tr0ub4dor' } },
    { hosts, auth: 'tr0ub4dor' },
    { hosts, credentials: ['tr0ub4dor'] },
    { hosts, password: 'tr0ub4dor' },
    { hosts: 'http://ann:tr0ub4dor@127.0.0.1:2379' },
    { hosts: ['ann:tr0ub4dor@127.0.0.1:2379'] },
  ])('refuses %j without showing the secret', (options) => {
    expect(() => resolveEtcdOptions(options)).toThrow(/^(?!.*tr0ub4dor)/s);
  });
});
