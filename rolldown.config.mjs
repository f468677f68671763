import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'rolldown';

const COMPILED = fileURLToPath(new URL('./dist/lib/', import.meta.url));

/**
 * What the package loads: `dist/lib`, which has a file for each of `lib`, in few files, since a file costs a process some
 * tenths of a millisecond when it starts. What several entries need is a chunk of its own, so that each loads what it needs
 * and nothing else.
 */
const ENTRIES = [
  'index',
  'data/index',
  'cluster/etcd/index',
  'cluster/redis/index',
  'observability/metrics/index',
  'observability/otel/index',
  'observability/health/index',
  'observability/dashboard/index',
  'http/index',
  'microservices/index',
  'testing/index',
  'cli/main',
];
/**
 * No entries for users: they part what the root exports of these folders, so that bundlers leave out the Nest module where
 * an app takes decorators alone.
 */
const PARTS = ['decorators', 'module'];
/** It finds other files by where it lies. */
const IN_ITS_PLACE = 'module/runtime/own-file';

/**
 * What the root needs and others need as well lies in five chunks: what the light entries need; of what the decorators need, that
 * which the data needs too, and the rest, the engine; the port of the data; and what of the Nest module the other entries need,
 * nearly all of it each. Else there would be a chunk for each set of entries, and a dozen more files.
 */
const LIGHT = ['http/index', 'microservices/index'];
const DATA = ['data/index'];
const OTHERS = ENTRIES.filter((name) => ![...LIGHT, ...DATA, 'index', 'cli/main'].includes(name));
const IMPORT = /^(?:import|export)\s[^;]*?['"](\.[^'"]+)['"];/gm;
const root = reachableFrom(['index']);
const decorators = reachableFrom(['decorators/resilient.decorator', 'decorators/signal.decorator']);
/** The command line must not wait for Nest. */
const apart = reachableFrom(['cli/main']).add(`${COMPILED}${IN_ITS_PLACE}.js`);

function shared(name, files, priority) {
  return { name, priority, test: (id) => files.has(id) && root.has(id) && !apart.has(id) };
}

function inBoth(one, other) {
  return new Set([...one].filter((file) => other.has(file)));
}

/** All compiled files that entries load at once. */
function reachableFrom(entries) {
  const reached = new Set();
  const follow = (file) => {
    if (reached.has(file)) return;
    reached.add(file);
    for (const [, specifier] of readFileSync(file, 'utf8').matchAll(IMPORT)) follow(resolve(dirname(file), specifier));
  };
  for (const entry of entries) follow(`${COMPILED}${entry}.js`);
  return reached;
}

export default defineConfig({
  input: {
    ...Object.fromEntries([...ENTRIES, IN_ITS_PLACE].map((name) => [name, `${COMPILED}${name}.js`])),
    ...Object.fromEntries(PARTS.map((part) => [`chunks/root-${part}`, `part:${part}`])),
  },
  platform: 'node',
  external: (id) => !/^(?:[./]|part:)/.test(id),
  preserveEntrySignatures: 'allow-extension',
  plugins: [
    {
      name: 'parts of the root',
      resolveId: (id) => (id.startsWith('part:') ? `\0${id}` : null),
      async load(id) {
        if (!id.startsWith('\0part:')) return null;
        const lines = (await readFile(`${COMPILED}index.js`, 'utf8')).split('\n');
        const own = lines.filter((line) => line.includes(` from './${id.slice('\0part:'.length)}/`));
        return own.join('\n').replaceAll(" from './", ` from '${COMPILED}`);
      },
    },
    {
      name: 'source maps of the compiler',
      async load(id) {
        if (id.startsWith('\0')) return null;
        const [code, map] = await Promise.all([readFile(id, 'utf8'), readFile(`${id}.map`, 'utf8')]);
        return { code: code.replace(/\n\/\/# sourceMappingURL=.*\n?$/, '\n'), map: JSON.parse(map) };
      },
    },
  ],
  output: {
    dir: 'dist/bundle',
    format: 'es',
    cleanDir: true,
    keepNames: true,
    // What comments say stands in the declarations and in the source; bundlers of apps want the annotations.
    comments: { annotation: true, jsdoc: false, legal: true },
    entryFileNames: '[name].js',
    chunkFileNames: 'chunks/[name].js',
    codeSplitting: {
      includeDependenciesRecursively: false,
      groups: [
        shared('core', reachableFrom(LIGHT), 5),
        shared('base', inBoth(decorators, reachableFrom(DATA)), 4),
        shared('engine', decorators, 3),
        shared('port', reachableFrom(DATA), 2),
        shared('module', reachableFrom(OTHERS), 1),
      ],
    },
  },
});
