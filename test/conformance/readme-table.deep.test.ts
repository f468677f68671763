import { readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** Where `npm run test:deep` puts the peers. */
const PEERS = {
  opossum: 'bench/peers/node_modules/opossum',
  cockatiel: 'bench/peers/node_modules/cockatiel',
  'nestjs-resilience': 'test/libraries/node_modules/nestjs-resilience',
};
type Peer = keyof typeof PEERS;

const README = readFileSync(join(ROOT, 'README.md'), 'utf8');
const [head = [], , ...rows] = [...README.matchAll(/^\|.*\|$/gm)].map(([line]) =>
  line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim()),
);

interface Manifest {
  readonly version: string;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}
const manifestOf = (peer: Peer): Manifest =>
  JSON.parse(readFileSync(join(ROOT, PEERS[peer], 'package.json'), 'utf8')) as Manifest;

/** What a peer says of a row. */
function said(row: string, peer: Peer): string {
  const cells = rows.find(([first = '']) => first.includes(row));
  const column = head.findIndex((title) => title.startsWith(`${peer} `));
  if (cells === undefined || column < 0) throw new Error(`the table has no row "${row}" or no column of ${peer}`);
  return cells[column] ?? '';
}

/** What lies in the folder of a peer without being its code. */
const STRANGE = /[\\/](?:node_modules|test|example)|\.(?:test|min)\.|[\\/]dist[\\/]opossum/;

/** All names in the code of a peer, its types included, without the words of comments. */
async function codeOf(peer: Peer): Promise<string> {
  const folder = join(ROOT, PEERS[peer]);
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((one) => one.isFile() && /\.(?:[cm]?js|d\.ts)$/.test(one.name))
    .map((one) => join(one.parentPath, one.name))
    .filter((path) => !STRANGE.test(path.slice(folder.length)));
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')));
  return texts.join('\n').replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
}

it.each(Object.keys(PEERS) as Peer[])('is about the version of %s that is measured and tried', (peer) => {
  const [major, minor] = manifestOf(peer).version.split('.');

  const title = head.find((cell) => cell.startsWith(`${peer} `));

  expect([`${peer} ${major}`, `${peer} ${major}.${minor}`]).toContain(title);
});

it('says what each peer has of breakers', async () => {
  const names = async (peer: Peer): Promise<string[]> => {
    const code = await codeOf(peer);
    const has = {
      share: /errorThresholdPercentage|SamplingBreaker/,
      row: /ConsecutiveBreaker/,
      slow: /slow(?:Call|Request)/i,
    };
    return Object.entries(has).flatMap(([name, pattern]) => (pattern.test(code) ? [name] : []));
  };

  expect((await names('opossum')).join(', ')).toBe(said('circuit breaker by share', 'opossum'));
  expect((await names('cockatiel')).join(', ')).toBe(said('circuit breaker by share', 'cockatiel'));
  expect((await names('nestjs-resilience')).join(', ')).toBe(said('circuit breaker by share', 'nestjs-resilience'));
});

it.each<[string, RegExp]>([
  ['for each key', /maxKeys|keyResolver|partition/i],
  ['retries under a budget', /budget/i],
  ['of many over Redis', /rateLimit|ThrottleStrategy|throttler/i],
  ['find their number', /adaptive|gradient|vegas/i],
  ['last good answer', /class CacheStrategy|options\.cache\b/],
  ['changed at run time', /setOptions/],
  ['for tests', /virtualClock|injectFault|chaos/i],
])('gives no peer less than it has: %s', async (row, pattern) => {
  for (const peer of Object.keys(PEERS) as Peer[]) {
    const cell = said(row, peer);
    const isDenied = cell === '–' || cell === 'no retries';
    expect({ peer, isThere: pattern.test(await codeOf(peer)) }).toEqual({ peer, isThere: !isDenied });
  }
});

it('knows for which Nest nestjs-resilience is', () => {
  const { peerDependencies = {} } = manifestOf('nestjs-resilience');

  expect(peerDependencies['@nestjs/common']).toBe('^8.0.0 || ^9.0.0 || ^10.0.0');
  expect(said('Nest 11 and 12', 'nestjs-resilience')).toBe('Nest 8 to 10');
});

it('says when it was true', () => {
  const [, date = ''] = /^As of (\d{4}-\d{2}-\d{2}),/m.exec(README) ?? [];

  expect(Number.isNaN(Date.parse(date))).toBe(false);
});

it('knows what exports the metrics of opossum', () => {
  const exporter = readFileSync(join(ROOT, 'node_modules/opossum-prometheus/index.js'), 'utf8');

  expect(said('Prometheus', 'opossum')).toBe('Prometheus');
  expect(exporter).toContain("require('prom-client')");
});
