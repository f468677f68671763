import { Logger } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { ResilienceModule } from 'nestjs-bulwark';
import { databaseData, DatabaseDataService, failoverData, fileData } from 'nestjs-bulwark/data';
import { describe, expect, it } from 'vitest';
import { describeValue } from '../../../lib/data/port/describe-value.js';
import { runData } from '../../../lib/cli/data/run-data.js';
import { maskCredentials } from '../../../lib/errors/mask-credentials.js';
import { show } from '../../../lib/kernel/options/check.js';

Logger.overrideLogger(false);

/** Every address here has this in it, and no message may. */
const SECRET = 's3cr3t';

const addresses = [
  `mysql://root:${SECRET}@db.example:3306/shop`,
  `MYSQL://root:${SECRET}@db.example/shop`,
  `mysql://root:${SECRET}/x#y?z@db.example/shop`,
  `mysql://root:${SECRET}@x@db.example/shop`,
  `mysql://root:my ${SECRET} "word"@db.example/shop`,
  `mysql://root:${'long'.repeat(30)}${SECRET}@db.example/shop`,
  `postgres://:${SECRET}@/shop?host=/tmp`,
  `postgres://db.example/shop?user=root&password=${SECRET}`,
  `postgres://db.example/shop?sslpassword=${SECRET}&sslmode=require`,
  `postgres://db.example/shop?sslmode=${SECRET}@x`,
  `host=db.example user=root password=${SECRET} dbname=shop`,
  `host=db.example password='${SECRET} two' dbname=shop`,
  `jdbc:mysql://db.example/shop?user=root&password=${SECRET}`,
  `jdbc:mysql://root:${SECRET}@db.example/shop`,
  `root:${SECRET}@tcp(db.example:3306)/shop`,
  `root:${SECRET}@db.example`,
  `mysql:root:${SECRET}@db.example/shop`,
  `mysql://root:${SECRET}`,
  `redis://:${SECRET}@db.example`,
  `mongodb+srv://root:${SECRET}@a,b,c/shop`,
  `https://api.example/?access_token=${SECRET}`,
  `{"user":"root","password":"${SECRET}"}`,
  `DB_PASSWORD=${SECRET}`,
  `--password=${SECRET}`,
];

/** Wherever a user's value can come into a message of the data part. */
const places: Record<string, (value: never) => unknown> = {
  'maskCredentials': (text) => maskCredentials(text), // prettier-ignore
  'show, alone': (text) => show(text), // prettier-ignore
  'show, in an object': (text) => show({ url: text, nested: [text] }),
  'describeValue': (text) => describeValue(text), // prettier-ignore
  'databaseData(url)': (url) => databaseData(url),
  'databaseData({ uri })': (uri) => databaseData({ uri } as never),
  'databaseData({ url, table })': (table) => databaseData({ url: 'sqlite::memory:', table }),
  'databaseData({ url: [url] })': (url) => databaseData({ url: [url] } as never),
  'databaseData({ url }) with a fault': (url) => databaseData({ url: `${url as string}#x` }),
  'databaseData({ url }) of another scheme': (url) => databaseData({ url: `x${url as string}` }),
  'databaseData({ url }) of SQLite': (url) => databaseData({ url: `sqlite://${url as string}` }),
  'DatabaseDataService.open': (url) => DatabaseDataService.open(url),
  'fileData(url)': (url) => fileData(url),
  'fileData({ uri })': (uri) => fileData({ uri } as never),
  'fileData({ path, salvage })': (salvage) => fileData({ path: './x', salvage }),
  'failoverData(url)': (url) => failoverData(url),
  'failoverData({ primary })': (primary) => failoverData({ primary }),
  'failoverData({ primary: { useValue } })': (useValue) => failoverData({ primary: { useValue } }),
  'failoverData({ standbys })': (replica) =>
    failoverData({ primary: { useFactory: () => replica }, standbys: [{ replica }] }),
  'failoverData({ queue })': (queue) =>
    failoverData({ primary: { useFactory: () => queue }, writes: 'queue', queue: { path: '', url: queue } as never }),
  'forRoot({ dataService: url })': (dataService) => compile({ dataService }),
  'forRoot({ dataService: { url } })': (url) => compile({ dataService: { url } as never }),
  'forRoot({ dataService: { useFactory: url } })': (useFactory) => compile({ dataService: { useFactory } as never }),
  'forRoot({ dataService: { useFactory: () => url } })': (url) => compile({ dataService: { useFactory: () => url } }),
  'forRoot({ dataService: { useValue: url } })': (useValue) => compile({ dataService: { useValue } }),
  'forRoot({ dataServices: url })': (dataServices) => compile({ dataServices }),
  'forRoot({ policies })': (timeout) => compile({ policies: { default: { timeout, password: timeout } as never } }),
  'the command line: one too many': (url) => command('verify', './nowhere', url),
  'the command line: no command': (url) => command(url),
  'the command line: no option': (url) => command('copy', '--from', url, '--to', url, '--more', url),
  'the command line: no address': (url) => command('inspect', url),
  'the command line: a file address': (url) => command('inspect', `file://${url as string}`),
  'the command line: a variable': (url) => command('inspect', `env:${url as string}`),
};

async function compile(options: Parameters<typeof ResilienceModule.forRoot>[0]): Promise<void> {
  const app = await Test.createTestingModule({ imports: [ResilienceModule.forRoot(options)] }).compile();
  await app.init();
  await app.close();
}

async function command(...args: string[]): Promise<string> {
  let text = '';
  const out = { write: (piece: string) => (text += piece) };
  await runData(args, { terminal: { out, err: out }, env: {}, signal: new AbortController().signal });
  return text;
}

describe.each(Object.entries(places))('%s', (_, tell) => {
  it.each(addresses)('shows no password of %s', async (address) => {
    const told: unknown = await Promise.resolve()
      .then(() => tell(address as never))
      .catch((error: Error) => `${error.message}\n${error.stack}\n${String(error.cause)}`);

    expect(JSON.stringify(told) ?? '').not.toContain(SECRET);
  });
});

it.each([
  ['mysql://db.example:3306/shop', undefined],
  ['postgres://[::1]:5432/shop?sslmode=require', undefined],
  ['sqlite:./data/shop.db', undefined],
  ['a plain text: with a colon', undefined],
  ['orders/42', undefined],
  ['http://localhost:3000/', undefined],
  ['bulwark_data', undefined],
  ['mysql://root:x@db.example/shop', 'mysql://***@db.example/shop'],
  ['postgres://h/d?password=x&sslmode=require', 'postgres://h/d?password=***&sslmode=require'],
])('what is no secret stays: %s', (text, shown) => {
  expect(maskCredentials(text)).toBe(shown ?? text);
});

it('a setting that is named after a secret is masked, whatever its value', () => {
  expect(show({ password: 12_345, accessToken: { a: 1 }, timeout: 5 })).toBe(
    '{"password":"***","accessToken":"***","timeout":5}',
  );
});

it.each([
  ['a revoked proxy', () => { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return proxy; }], // prettier-ignore
  ['a proxy that throws', () => new Proxy({}, { getPrototypeOf: () => { throw new Error('no'); } })], // prettier-ignore
])('%s is described, too', (_, make) => {
  expect(describeValue(make())).toBe('an object');
});
