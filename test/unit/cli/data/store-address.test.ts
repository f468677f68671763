import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { UsageError } from '../../../../lib/cli/shell/command.js';
import { formatBytes, formatCount, formatKey, formatNumber } from '../../../../lib/cli/shell/format.js';
import { parseStoreAddress } from '../../../../lib/cli/data/store-address.js';

describe('the address of a store', () => {
  it.each([
    ['file:./data', { kind: 'file', path: resolve('./data') }],
    ['file:/srv/data', { kind: 'file', path: '/srv/data' }],
    ['file:///srv/data', { kind: 'file', path: '/srv/data' }],
    ['sqlite:./shop.db', { kind: 'database', file: resolve('./shop.db') }],
    ['mysql://root:secret@h/shop', { kind: 'database', shown: 'mysql://h:3306/shop, table bulwark_data' }],
    ['sqlite::memory:', { kind: 'database', file: undefined, shown: 'sqlite::memory:, table bulwark_data' }],
  ])('%s is understood', (text, address) => {
    expect(parseStoreAddress('--from', text)).toMatchObject(address);
  });

  it('may stand in an environment variable', () => {
    expect(parseStoreAddress('--from', 'env:SHOP', undefined, { SHOP: 'file:/srv/data' })).toMatchObject({
      kind: 'file',
      path: '/srv/data',
    });
    expect(() => parseStoreAddress('--from', 'env:SHOP', undefined, {})).toThrow(
      "--from: the environment variable 'SHOP' is not set",
    );
    expect(() => parseStoreAddress('--from', 'env:SHOP', undefined, { SHOP: 'env:SHOP' })).toThrow(UsageError);
  });

  it.each([
    [undefined, undefined, '--from is missing'],
    ['', undefined, '--from is missing'],
    ['file:', undefined, "--from is 'file:'; expected file:<path of a folder>"],
    ['file://host/data', undefined, 'expected file:<path of a folder>'],
    ['./data', undefined, 'or file:<path of a folder>, or env:<variable>'],
    ['ftp://host/data', undefined, "has the scheme 'ftp:'"],
    ['file:./data', 'orders', 'a table is for a database'],
    ['sqlite::memory:', 'or-ders', 'expected a table name'],
  ])('%s with the table %s is refused', (text, table, message) => {
    expect(() => parseStoreAddress('--from', text, table)).toThrow(UsageError);
    expect(() => parseStoreAddress('--from', text, table)).toThrow(message);
  });
});

describe('what is shown', () => {
  it('is in numbers that people read', () => {
    expect([formatCount(1_234_567), formatNumber(1, 'key', 'keys'), formatNumber(0, 'key', 'keys')]).toEqual([
      '1,234,567',
      '1 key',
      '0 keys',
    ]);
    expect([0, 1023, 1536, 5 * 2 ** 30].map(formatBytes)).toEqual(['0 bytes', '1,023 bytes', '1.5 KiB', '5.0 GiB']);
  });

  it('has no key in it that a terminal obeys', () => {
    expect(formatKey('a\u001b[2J\u009b2Jb\u202ec"')).toBe('"a\\u001b[2J\\u009b2Jb\\u202ec\\""');
  });
});
