import { inspect } from 'node:util';
import { etcdData } from 'nestjs-bulwark/etcd';
import { describe, expect, it } from 'vitest';
import { checkFence, isRevision } from '../../../../../lib/cluster/etcd/data/check-fence.js';
import { explained } from '../../../../support/explained.js';

const hosts = ['http://127.0.0.1:2379'];

describe('etcdData', () => {
  it.each([
    [undefined, 'etcdData'],
    [{}, "etcdData: option 'hosts': expected an address such as"],
    [{ hosts: [] }, "option 'hosts'"],
    [{ hosts: 'nowhere' }, "option 'hosts'"],
    [{ hosts, prefix: 'no-slash' }, "option 'prefix': expected a text that ends with '/'"],
    [{ hosts, timeout: 0 }, "option 'timeout': expected a number of milliseconds"],
    [{ hosts, auth: { username: 'app' } }, "option 'auth.password'"],
    [{ hosts, retries: 3 }, 'expected one of: hosts, auth, credentials, timeout, prefix'],
  ])('refuses %j', (options, message) => {
    expect(() => etcdData(options as never)).toThrow(message);
  });

  it('shows no password in what it refuses', () => {
    const auth = { username: 'app', token: 'hunter2' } as never;
    const refused = (): unknown => {
      try {
        return etcdData({ hosts, auth });
      } catch (error) {
        return error;
      }
    };

    expect(inspect(refused())).toContain("option 'auth.token'");
    expect(inspect(refused())).not.toContain('hunter2');
  });

  it('connects to nothing until the app starts', () => {
    expect(etcdData({ hosts })).toEqual({ useFactory: expect.any(Function) });
  });
});

describe('a fence', () => {
  it.each([undefined, { key: 'leaders/a', createRevision: '12' }])('may be %j', (fence) => {
    expect(() => checkFence('a', fence)).not.toThrow();
  });

  it.each([null, 5, 'leaders/a', {}, { key: '', createRevision: '12' }, { key: 'a', createRevision: 12 }])(
    'may not be %j',
    (fence) => {
      expect(() => checkFence('a', fence)).toThrow(explained('expected { key, createRevision } of a leadership'));
    },
  );

  it.each([
    ['1', true],
    ['9223372036854775807', true],
    ['9223372036854775808', false],
    ['0', false],
    ['01', false],
    ['-1', false],
    ['1e3', false],
    ['', false],
  ])('has a revision of etcd: %j is one: %j', (text, is) => {
    expect(isRevision(text)).toBe(is);
  });
});
