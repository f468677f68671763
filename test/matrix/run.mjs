/**
 * Tries the packed library on every Node, Nest, HTTP server and TypeScript it says it runs on, each in a folder of its own,
 * and a part of the fast tests on every Node; prints a table. Needs the network.
 *
 *     npm run test:matrix                                  all, with a part of the tests
 *     npm run test:matrix -- --full                        all, with all fast tests
 *     npm run test:matrix -- --node 24 --no-suite          one Node, without the tests
 */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';

const NODES = { 20: '20.20.2', 22: '22.23.3', 24: '24.21.0', 26: '26.10.0' };
const NESTS = { 11: { nest: '11.2.10', fastify: '11.2.8' }, 12: { nest: '12.5.1', fastify: '12.5.0' } };
const ADAPTERS = ['express', 'fastify'];
const TYPESCRIPTS = { 5.9: '5.9.3', 6: '6.0.3', 7: '7.0.2' };
/** Of the tests: those where a Node is likely to differ. */
const SLICE = [
  'test/unit/kernel',
  'test/unit/policies/timeout',
  'test/unit/data/file',
  'test/e2e/module.test.ts',
  'test/e2e/shutdown.test.ts',
];

const { values: options } = parseArgs({
  options: {
    node: { type: 'string', multiple: true, default: Object.keys(NODES) },
    nest: { type: 'string', multiple: true, default: Object.keys(NESTS) },
    full: { type: 'boolean', default: false },
    'no-suite': { type: 'boolean', default: false },
  },
});
const unknown = [...options.node.filter((n) => !(n in NODES)), ...options.nest.filter((n) => !(n in NESTS))];
if (unknown.length > 0) throw new Error(`unknown: ${unknown.join(', ')}`);

const here = dirname(fileURLToPath(import.meta.url));
const root = resolve(here, '../..');
const work = await mkdtemp(join(tmpdir(), 'bulwark-matrix-'));
const rows = [];

async function run(command, args, { cwd, env, timeout = 300_000 }) {
  try {
    return await promisify(execFile)(command, args, {
      cwd,
      env: { ...process.env, ...env },
      timeout,
      maxBuffer: 64 * 2 ** 20,
    });
  } catch (error) {
    throw new Error(`${command} ${args.join(' ')}\n${error.message}\n${error.stdout}${error.stderr}`, { cause: error });
  }
}

/** One cell of the table; what fails shows its log and leaves the others alone. */
async function cell(what, where, action) {
  const begun = performance.now();
  const result = await action().then(
    () => 'ok',
    (error) => {
      console.error(`FAIL  ${what}, ${where}\n${error.message}`);
      return 'FAIL';
    },
  );
  rows.push({ what, where, result, seconds: Number(((performance.now() - begun) / 1_000).toFixed(1)) });
  return result === 'ok';
}

/** A Node as its package on npm brings it. */
async function installNode(version) {
  const folder = join(work, `node-${version}`);
  await mkdir(folder);
  await writeFile(join(folder, 'package.json'), '{ "private": true }');
  await run('npm', ['install', '--no-audit', '--no-fund', `node@${version}`], { cwd: folder });
  const node = join(folder, 'node_modules/.bin/node');
  const { stdout } = await run(node, ['-v'], { cwd: folder });
  if (stdout.trim() !== `v${version}`) throw new Error(`expected Node ${version}, got ${stdout}`);
  return node;
}

/** An app of a Nest with the packed library in it, and every TypeScript beside it. */
async function installApp(nest) {
  const { nest: version, fastify = version } = NESTS[nest];
  const folder = join(work, `nest-${nest}`);
  await cp(join(here, 'app'), join(folder, 'src'), { recursive: true });
  const nestPackages = Object.fromEntries(['common', 'core', 'platform-express'].map((n) => [`@nestjs/${n}`, version]));
  const compilers = Object.entries(TYPESCRIPTS).map(([name, exact]) => [
    `typescript-${name}`,
    `npm:typescript@${exact}`,
  ]);
  const manifest = {
    private: true,
    type: 'module',
    dependencies: {
      ...nestPackages,
      '@nestjs/platform-fastify': fastify,
      'nestjs-bulwark': `file:${join(work, 'nestjs-bulwark.tgz')}`,
      'reflect-metadata': '0.2.2',
      rxjs: '7.8.2',
    },
    devDependencies: { '@types/node': '20.19.43', ...Object.fromEntries(compilers) },
  };
  const compilerOptions = {
    target: 'ES2023',
    module: 'nodenext',
    strict: true,
    experimentalDecorators: true,
    emitDecoratorMetadata: true,
    types: ['node'],
    rootDir: 'src',
    outDir: 'dist',
    skipLibCheck: true,
  };
  await writeFile(join(folder, 'package.json'), JSON.stringify(manifest));
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['src'] }));
  await run('npm', ['install', '--no-audit', '--no-fund'], { cwd: folder });
  return folder;
}

await run('npm', ['pack', '--pack-destination', work], { cwd: root });
const [tarball] = (await readdir(work)).filter((name) => name.endsWith('.tgz'));
await cp(join(work, tarball), join(work, 'nestjs-bulwark.tgz'));

const nodes = new Map();
for (const name of options.node)
  await cell('installs', `Node ${name}`, async () => nodes.set(name, await installNode(NODES[name])));

for (const nest of options.nest) {
  let folder;
  if (!(await cell('installs', `Nest ${nest}`, async () => (folder = await installApp(nest))))) continue;
  for (const name of Object.keys(TYPESCRIPTS))
    await cell('compiles', `Nest ${nest}, TypeScript ${name}`, () =>
      run(process.execPath, [`node_modules/typescript-${name}/bin/tsc`, '-p', '.'], { cwd: folder }),
    );
  for (const [name, node] of nodes)
    for (const adapter of ADAPTERS)
      await cell('answers', `Nest ${nest}, Node ${name}, ${adapter}`, async () => {
        const env = { ADAPTER: adapter, NODE_OPTIONS: '' };
        const { stderr } = await run(node, ['dist/main.js'], { cwd: folder, env, timeout: 60_000 });
        if (stderr) throw new Error(`it wrote to stderr:\n${stderr}`);
      });
}

if (!options['no-suite']) {
  const part = options.full ? [] : SLICE;
  for (const [name, node] of nodes)
    await cell(options.full ? 'fast tests' : 'part of the tests', `Node ${name}`, () =>
      run(
        node,
        [
          'node_modules/vitest/vitest.mjs',
          'run',
          '--project',
          'fast',
          '--project',
          'alone',
          '--reporter',
          'dot',
          ...part,
        ],
        {
          cwd: root,
          env: { CI: '' },
          timeout: 1_800_000,
        },
      ),
    );
}

console.table(rows);
const failed = rows.filter(({ result }) => result !== 'ok').length;
if (process.env.CI) {
  const summary = { numPassedTests: rows.length - failed, numFailedTests: failed, numPendingTests: 0 };
  await mkdir(join(root, 'test-results'), { recursive: true });
  await writeFile(join(root, 'test-results/matrix.json'), JSON.stringify(summary));
}
console.log(`matrix: ${rows.length - failed} passed, ${failed} failed`);
if (failed > 0) {
  console.log(`its folder: ${work}`);
  process.exitCode = 1;
} else await rm(work, { recursive: true });
