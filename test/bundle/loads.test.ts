import { execFile } from 'node:child_process';
import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { BUILD_LIMIT_MS, builtPackage } from '../sample/support/built-sample.js';
import { reachableFrom, sourcesOf } from './support/chunks.js';

interface Manifest {
  readonly exports: Record<string, string | { readonly default: string }>;
  readonly peerDependenciesMeta: Record<string, { readonly optional: boolean }>;
}

/** The entries, each with the optional packages it cannot do without, and what of other entries' folders it is built on. */
const ENTRIES: Record<string, { readonly needs: readonly string[]; readonly folders: readonly string[] }> = {
  '.': { needs: [], folders: [] },
  './data': { needs: [], folders: ['data'] },
  './etcd': { needs: ['etcd3'], folders: ['cluster/etcd'] },
  './redis': { needs: ['ioredis'], folders: ['cluster/redis'] },
  // prom-client brings the API of OpenTelemetry for its exemplars.
  './metrics': {
    needs: ['@opentelemetry/api', 'prom-client'],
    folders: ['observability/metrics', 'observability/meters'],
  },
  './otel': { needs: ['@opentelemetry/api'], folders: ['observability/otel', 'observability/meters'] },
  './health': { needs: ['@nestjs/terminus'], folders: ['observability/health'] },
  './dashboard': { needs: [], folders: ['observability/dashboard'] },
  './http': { needs: [], folders: ['http'] },
  './microservices': { needs: ['@nestjs/microservices'], folders: ['microservices'] },
  './testing': { needs: [], folders: ['testing'] },
};
/** The port of the data is the root's, which offers `DataService`. */
const OWN_FOLDERS = /^(?:cli|cluster\/[^/]+|data(?!\/port)|http|microservices|observability\/[^/]+|testing)\//;

let folder: string;
let manifest: Manifest;

beforeAll(async () => {
  folder = await builtPackage();
  manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Manifest;
  await cp(fileURLToPath(new URL('support/loaded.mjs', import.meta.url)), join(folder, 'loaded.mjs'));
}, BUILD_LIMIT_MS);

interface Loaded {
  readonly files: readonly string[];
  readonly sources: readonly string[];
  readonly packages: ReadonlySet<string>;
}

const loads = new Map<string, Promise<Loaded>>();

/** What an entry loads, found once in a process of its own. */
function load(entry: string): Promise<Loaded> {
  const known = loads.get(entry) ?? loadAfresh(entry);
  loads.set(entry, known);
  return known;
}

async function loadAfresh(entry: string): Promise<Loaded> {
  const name = entry.replace('.', 'nestjs-bulwark');
  const { stdout } = await promisify(execFile)(process.execPath, ['loaded.mjs', name], { cwd: folder });
  const files = (JSON.parse(stdout) as string[])
    .filter((url) => url.startsWith('file:'))
    .map((url) => fileURLToPath(url));
  const own = files.filter((file) => file.startsWith(join(folder, 'dist/bundle/')));
  const packages = files.map((file) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1] ?? '');
  return { files, sources: own.flatMap(sourcesOf), packages: new Set(packages) };
}

it('knows every entry of the package', () => {
  expect(Object.keys(ENTRIES)).toEqual(Object.keys(manifest.exports).filter((entry) => entry !== './package.json'));
});

describe.each(Object.entries(ENTRIES))('%s', (entry, { needs, folders }) => {
  it('loads no optional package but the one it is for', async () => {
    const { packages } = await load(entry);

    const optional = Object.keys(manifest.peerDependenciesMeta).filter((name) => packages.has(name));

    expect(optional).toEqual(needs);
  });

  it('loads nothing of other entries', async () => {
    const { sources } = await load(entry);

    const foreign = sources.filter((source) => {
      const own = OWN_FOLDERS.exec(source)?.[0];
      return own !== undefined && !folders.some((allowed) => `${source}/`.startsWith(`${allowed}/`));
    });

    expect(sources).not.toEqual([]);
    expect(foreign).toEqual([]);
  });

  it('loads little but what its source imports', async () => {
    const target = manifest.exports[entry] as { default: string };
    const { sources } = await load(entry);

    const reachable = reachableFrom(target.default.replace('./dist/bundle/', ''), join(folder, 'dist/lib'));
    const others = sources.filter((source) => !reachable.has(source));

    // What several entries need lies together, so that there are few files: rolldown.config.mjs.
    expect(others.length).toBeLessThan(sources.length / 8);
  });
});

it('leaves what reads files of rules to apps that have one', async () => {
  const { sources } = await load('.');

  const readers = sources.filter((source) => /^module\/rules\/(?:file|rules-text)/.test(source));

  expect(readers).toEqual([]);
});

it('starts with few files', async () => {
  const { files, sources } = await load('.');

  expect(sources.length).toBeGreaterThan(200);
  expect(files.length).toBeLessThan(25);
});
