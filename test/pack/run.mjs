/**
 * Packs the library as npm would publish it, looks into the tarball, installs it in empty apps (Nest 12 with ES modules,
 * Nest 11 with CommonJS), compiles them against the packed types and runs them: first without the packages that only the
 * parts for several processes need, then with them. One line a step; a step that fails shows its whole log, and its folder
 * stays.
 */
import { execFile } from 'node:child_process';
import { copyFile, cp, mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { jestExample } from './jest-example.mjs';
import { quickStart } from './quick-start.mjs';

const execute = promisify(execFile);
const here = dirname(fileURLToPath(import.meta.url));
const root = resolve(here, '../..');
// Outside the repository, so that nothing resolves to its node_modules by chance.
const work = await mkdtemp(join(tmpdir(), 'bulwark-pack-'));
const count = { passed: 0, failed: 0, skipped: 0 };

/** Runs a command to its end; throws its whole output if it fails or has not ended within `timeout` ms. */
async function run(command, args, { cwd, env, timeout = 240_000 }) {
  try {
    return await execute(command, args, { cwd, env: { ...process.env, ...env }, timeout, maxBuffer: 64 * 2 ** 20 });
  } catch (error) {
    const end = error.killed ? `did not end by itself within ${timeout} ms` : `exited with ${error.code}`;
    throw new Error(`${command} ${args.join(' ')}: ${end}\n${error.stdout}${error.stderr}`, { cause: error });
  }
}

/** Runs steps one after the other; those behind one that fails have nothing to stand on and are skipped. */
async function inTurn(name, steps) {
  for (const [index, [title, action]] of steps.entries()) {
    const start = performance.now();
    try {
      await action();
      count.passed += 1;
      console.log(`ok    ${name}: ${title} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
    } catch (error) {
      const skipped = steps.length - index - 1;
      count.failed += 1;
      count.skipped += skipped;
      console.log(`FAIL  ${name}: ${title}${skipped ? `; ${skipped} further steps skipped` : ''}\n${error.message}`);
      return false;
    }
  }
  return true;
}

const unpacked = join(work, 'package');
const readManifest = async () => JSON.parse(await readFile(join(unpacked, 'package.json'), 'utf8'));

async function pack() {
  await run('npm', ['pack', '--pack-destination', work], { cwd: root });
  const [tarball] = (await readdir(work)).filter((name) => name.endsWith('.tgz'));
  await run('tar', ['-xzf', tarball], { cwd: work });
}

async function checkContents() {
  const entries = await readdir(unpacked, { recursive: true, withFileTypes: true });
  const files = entries.filter((e) => e.isFile()).map((e) => relative(unpacked, join(e.parentPath, e.name)));

  const allowed =
    /^(dist\/bundle\/.+\.(?:js|css|html|svg)|dist\/lib\/.+\.d\.ts|docs\/(?!\.|api\/).+\.(?:md|svg|png)|(?:grafana|prometheus)\/.+\.(?:json|yaml)|README\.md|LICENSE|CHANGELOG\.md|package\.json)$/;
  const strange = files.filter((file) => !allowed.test(file) || /\.test\.|\.tsbuildinfo$/.test(file));
  const { exports, bin } = await readManifest();
  const targets = [...Object.values(exports), bin].flatMap((t) => (typeof t === 'string' ? t : Object.values(t)));
  const expected = ['README.md', 'LICENSE', 'CHANGELOG.md', ...targets.map((target) => target.replace('./', ''))];
  const missing = expected.filter((file) => !files.includes(file));
  if (strange.length + missing.length > 0) {
    throw new Error(`not to be packed: ${strange.join(', ') || 'none'}; missing: ${missing.join(', ') || 'none'}`);
  }
}

/** What the package may weigh; raise a limit knowingly, to what there is and a tenth. */
const BUDGET = { size: 925_000, unpackedSize: 2_950_000, entryCount: 940 };

async function checkSize() {
  const [tarball] = (await readdir(work)).filter((name) => name.endsWith('.tgz'));
  const entries = await readdir(unpacked, { recursive: true, withFileTypes: true });
  const files = entries.filter((e) => e.isFile()).map((e) => join(e.parentPath, e.name));
  const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
  const found = {
    size: (await stat(join(work, tarball))).size,
    unpackedSize: sizes.reduce((sum, size) => sum + size, 0),
    entryCount: files.length,
  };
  const over = Object.keys(BUDGET).filter((key) => found[key] > BUDGET[key]);
  if (over.length > 0) throw new Error(over.map((key) => `${key}: ${found[key]}, at most ${BUDGET[key]}`).join('\n'));
}

async function checkBill() {
  const file = join(work, 'sbom.cdx.json');
  await run(process.execPath, [join(here, 'sbom.mjs'), file], { cwd: root });
  const { bomFormat, components, metadata } = JSON.parse(await readFile(file, 'utf8'));
  const { name, version, dependencies } = await readManifest();
  const said = [bomFormat, metadata.component.name, metadata.component.version, ...components.map((c) => c.name)];
  // opossum brings nothing: what is more here is brought to users unawares.
  const expected = ['CycloneDX', name, version, ...Object.keys(dependencies)];
  if (said.join() !== expected.join()) throw new Error(`the bill names ${said.join()}, expected ${expected.join()}`);
}

/** Two tools that know how others resolve a package. */
async function checkWithTools() {
  const [tarball] = (await readdir(work)).filter((name) => name.endsWith('.tgz'));
  const tool = (name, ...args) => run('npx', ['--no', name, join(work, tarball), ...args], { cwd: root });
  await tool('publint', '--strict');
  // The package is ES modules alone, by design: require() of it works on every Node of `engines`, and a CommonJS app below
  // is the proof.
  await tool('attw', '--ignore-rules', 'cjs-resolves-to-esm');
}

/** Follows the declarations from an entry: all they import must be there in every app that has the package. */
async function checkTypes(entry) {
  const { dependencies, peerDependencies, peerDependenciesMeta = {} } = await readManifest();
  const required = Object.keys(peerDependencies).filter((name) => !peerDependenciesMeta[name]?.optional);
  const present = new Set([...Object.keys(dependencies), ...required]);
  const seen = new Set();
  const faults = [];

  const follow = async (file) => {
    if (seen.has(file)) return;
    seen.add(file);
    const text = await readFile(file, 'utf8');
    for (const [, specifier] of text.matchAll(/\b(?:from|import)\s*\(?\s*['"]([^'"]+)['"]/g)) {
      const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
      if (specifier.startsWith('.')) await follow(resolve(dirname(file), specifier.replace(/\.js$/, '.d.ts')));
      else if (!present.has(name) && !isBuiltin(specifier)) faults.push(`${relative(unpacked, file)}: ${specifier}`);
    }
  };
  await follow(join(unpacked, entry));
  if (faults.length > 0) throw new Error(`the types import what an app may not have:\n${faults.join('\n')}`);
}

/** The entries for several processes, and the package that each of them needs. */
const CLUSTER = { etcd: 'etcd3', redis: 'ioredis' };

/** The steps of one app: its own package.json and tsconfig.json, and the source that all apps share. */
function stepsOf(app, ...furtherSteps) {
  const cwd = join(work, app);
  const node = async (args, env) => {
    const { stderr } = await run(process.execPath, args, { cwd, env, timeout: 30_000 });
    if (stderr) throw new Error(`node ${args.join(' ')} wrote to stderr:\n${stderr}`);
  };
  return [
    [
      'installs',
      async () => {
        await cp(join(here, app), cwd, { recursive: true });
        await mkdir(join(cwd, 'src'));
        await copyFile(join(here, 'app/main.ts'), join(cwd, 'src/main.ts'));
        const [tarball] = (await readdir(work)).filter((name) => name.endsWith('.tgz'));
        await copyFile(join(work, tarball), join(cwd, 'nestjs-bulwark.tgz'));
        await run('npm', ['install', '--no-audit', '--no-fund'], { cwd });
      },
    ],
    ['compiles', () => run(process.execPath, ['node_modules/typescript/bin/tsc'], { cwd })],
    ['answers over HTTP, data in files, and exits by itself', () => node(['dist/main.js'])],
    [
      'has a command that looks into those files',
      () => run('npx', ['--no', 'nestjs-bulwark', 'data', 'verify', 'file:./data'], { cwd }),
    ],
    ...furtherSteps.map(([title, args, env]) => [title, () => node(args, env)]),
    ...Object.entries(CLUSTER).map(([entry, name]) => [
      `says that /${entry} needs ${name}`,
      () =>
        failsWith(
          `Cannot find (package|module) '${name}'`,
          process.execPath,
          ['-e', `import('nestjs-bulwark/${entry}')`],
          cwd,
        ),
    ]),
    [
      'has a command for a fleet, which says that it needs etcd3',
      () => failsWith('npm install etcd3', 'npx', ['--no', 'nestjs-bulwark', 'cluster', 'list'], cwd),
    ],
    [
      'installs etcd3 and ioredis',
      async () => {
        const { devDependencies } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
        const exact = Object.values(CLUSTER).map((name) => `${name}@${devDependencies[name]}`);
        await run('npm', ['install', '--save-exact', '--no-audit', '--no-fund', ...exact], { cwd });
        await copyFile(join(here, 'app/cluster.ts'), join(cwd, 'src/cluster.ts'));
      },
    ],
    [
      'compiles what several processes share',
      () => run(process.execPath, ['node_modules/typescript/bin/tsc'], { cwd }),
    ],
    ['starts that without etcd and Redis, and exits by itself', () => node(['dist/cluster.js'])],
    ['has a command for a fleet', () => run('npx', ['--no', 'nestjs-bulwark', 'cluster', '--help'], { cwd })],
  ];
}

/** A command that must fail, and say why. */
async function failsWith(reason, command, args, cwd) {
  const said = await run(command, args, { cwd, timeout: 30_000 }).then(
    () => 'nothing: it has succeeded',
    (error) => error.message,
  );
  if (!new RegExp(reason).test(said)) throw new Error(`expected an error with ${reason}, got:\n${said}`);
}

const sameClasses = `
  import('nestjs-bulwark').then(({ ResilienceModule }) => {
    if (ResilienceModule !== require('nestjs-bulwark').ResilienceModule) throw new Error('two copies of the package');
  });`;

if (await inTurn('tarball', [['is packed', pack]])) {
  await inTurn('tarball', [['holds what it should and no more', checkContents]]);
  await inTurn('tarball', [['weighs what it may', checkSize]]);
  await inTurn('tarball', [['has a bill of materials', checkBill]]);
  await inTurn('tarball', [['is what publint and attw expect', checkWithTools]]);
  await inTurn('tarball', [['has root types without optional peers', () => checkTypes('dist/lib/index.d.ts')]]);
  await inTurn('tarball', [['has types of /data without them', () => checkTypes('dist/lib/data/index.d.ts')]]);
  await inTurn('tarball', [['has types of /http without them', () => checkTypes('dist/lib/http/index.d.ts')]]);
  const tarball = async () =>
    join(
      work,
      (await readdir(work)).find((name) => name.endsWith('.tgz')),
    );
  await inTurn('quick start', quickStart({ work, unpacked, tarball, run }));
  await inTurn(
    'Nest 12, ES modules',
    stepsOf('nest12-esm', ['the same with data in SQLite', ['dist/main.js'], { DATA_BACKEND: 'database' }]),
  );
  await inTurn(
    'Nest 11, CommonJS',
    stepsOf('nest11-cjs', ['require and import give the same classes', ['-e', sameClasses]]),
  );
  await inTurn('Nest 11, Jest', jestExample({ root, work, tarball, run }));
}

if (process.env.CI) {
  const summary = { numPassedTests: count.passed, numFailedTests: count.failed, numPendingTests: count.skipped };
  await mkdir(join(root, 'test-results'), { recursive: true });
  await writeFile(join(root, 'test-results/pack.json'), JSON.stringify(summary));
}
console.log(`pack test: ${count.passed} passed, ${count.failed} failed`);
if (count.failed > 0) {
  console.log(`its folder: ${work}`);
  process.exitCode = 1;
} else {
  await rm(work, { recursive: true });
}
