import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = new URL('../..', import.meta.url).pathname;

/** What every script begins with: plain JavaScript, decorated by hand. */
const PRELUDE = `
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Bulkhead, CircuitBreaker, fixed, ResilienceModule, ResilienceService, Retry, Timeout } from 'nestjs-bulwark';

class Shop {
  async fine() { return 'fine'; }
  async judged() { throw new Error('down'); }
  async retried() { throw new Error('down'); }
  async crowded() { return new Promise((resolve) => (this.release = resolve)); }
  async hanging() { return new Promise(() => undefined); }
}
const decorate = (name, ...decorators) => {
  const descriptor = Object.getOwnPropertyDescriptor(Shop.prototype, name);
  for (const one of decorators.reverse()) one(Shop.prototype, name, descriptor);
  Object.defineProperty(Shop.prototype, name, descriptor);
};
decorate('fine', Timeout({ perAttempt: 60_000, total: 60_000 }), Retry(3), CircuitBreaker(), Bulkhead(5));
decorate('judged', CircuitBreaker({ volumeThreshold: 1, resetTimeout: 60_000 }));
decorate('retried', Retry({ maxAttempts: 3, backoff: fixed(60_000) }));
decorate('crowded', Timeout(60_000), Bulkhead({ maxConcurrent: 1, maxQueue: 5, maxWait: 60_000 }));
decorate('hanging', Timeout(300));

class AppModule {}
Module({ imports: [ResilienceModule.forRoot()], providers: [Shop] })(AppModule);

const codeOf = (promise) => promise.then((value) => value, (error) => error.code ?? error.message);
const createApp = () => NestFactory.createApplicationContext(AppModule, { logger: false });
const exercise = async (shop) => [await codeOf(shop.fine()), await codeOf(shop.judged()), await codeOf(shop.judged())];
const done = (result) => process.stdout.write(JSON.stringify(result) + '\\n');
`;

let folder: string;

/** Puts the library, compiled, into a folder of its own, so that no other test's build is touched. */
async function installLibrary(to: string): Promise<void> {
  const target = join(to, 'node_modules/nestjs-bulwark');
  const files = (await readdir(join(ROOT, 'lib'), { recursive: true })).filter((file) => file.endsWith('.ts'));
  for (const file of files) {
    const { outputText } = ts.transpileModule(await readFile(join(ROOT, 'lib', file), 'utf8'), {
      compilerOptions: {
        target: ts.ScriptTarget.ES2023,
        module: ts.ModuleKind.ESNext,
        experimentalDecorators: true,
        emitDecoratorMetadata: true,
      },
    });
    const path = join(target, 'dist/lib', file.replace(/\.ts$/, '.js'));
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, outputText);
  }
  const manifest = await readFile(join(ROOT, 'package.json'), 'utf8');
  await writeFile(join(target, 'package.json'), manifest.replaceAll('./dist/bundle/', './dist/lib/'));
  for (const name of await readdir(join(ROOT, 'node_modules'))) {
    if (!name.startsWith('.') && name !== 'nestjs-bulwark')
      await symlink(join(ROOT, 'node_modules', name), join(to, 'node_modules', name));
  }
}

interface Ended {
  readonly result: unknown;
  readonly code: number | null;
  readonly stderr: string;
  /** From the script's last word to its end. */
  readonly lingeredMs: number;
}

/** Runs a script until it ends by itself; one that does not is killed and has no code. */
async function run(script: string): Promise<Ended> {
  const file = join(folder, `${Math.random().toString(36).slice(2)}.mjs`);
  await writeFile(file, PRELUDE + script);
  const child = spawn(process.execPath, [file], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  let spokenAt = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    output.stdout += chunk.toString();
    spokenAt = performance.now();
  });
  child.stderr.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()));
  const tooLong = setTimeout(() => child.kill('SIGKILL'), 12_000);
  const [code] = (await once(child, 'close')) as [number | null];
  clearTimeout(tooLong);
  const lingeredMs = performance.now() - spokenAt;
  // Without the module a warning comes before the result.
  const said = output.stdout.trim().split('\n').at(-1) ?? '';
  return { result: said === '' ? undefined : JSON.parse(said), code, stderr: output.stderr, lingeredMs };
}

describe('a process', () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bulwark-exit-'));
    await installLibrary(folder);
  }, 60_000);

  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('exits by itself, when its app has closed while calls waited', async () => {
    const { result, code, stderr, lingeredMs } = await run(`
      const app = await createApp();
      app.get(ResilienceService).events$.subscribe(() => undefined);
      const shop = app.get(Shop);
      const before = await exercise(shop);
      const running = shop.crowded();
      const waiting = [codeOf(shop.retried()), codeOf(shop.crowded())];
      await new Promise((resolve) => setImmediate(resolve));
      await app.close();
      shop.release('released');
      done([...before, await running, ...(await Promise.all(waiting))]);
    `);

    expect(stderr).toBe('');
    expect(result).toEqual(['fine', 'down', 'CIRCUIT_OPEN', 'released', 'SHUTDOWN', 'SHUTDOWN']);
    expect(code).toBe(0);
    expect(lingeredMs).toBeLessThan(3_000);
  });

  it('exits by itself, when its app was never closed and no call runs', async () => {
    const { result, code, lingeredMs } = await run(`
      const app = await createApp();
      app.get(ResilienceService).events$.subscribe(() => undefined);
      done(await exercise(app.get(Shop)));
    `);

    expect(result).toEqual(['fine', 'down', 'CIRCUIT_OPEN']);
    expect(code).toBe(0);
    expect(lingeredMs).toBeLessThan(3_000);
  });

  it.each(['app.close()', 'new Promise((resolve) => app.getHttpServer().close(resolve))'])(
    'exits by itself, when a server that sheds requests has ended by %s',
    async (close) => {
      const { result, code, lingeredMs } = await run(`
        class WebModule {}
        Module({ imports: [ResilienceModule.forRoot({ systemProtection: true })] })(WebModule);
        const app = await NestFactory.create(WebModule, { logger: false });
        await app.listen(0, '127.0.0.1');
        const { port } = app.getHttpServer().address();
        const { status } = await fetch('http://127.0.0.1:' + port, { headers: { connection: 'close' } });
        await ${close};
        done(status);
      `);

      expect(result).toBe(404);
      expect(code).toBe(0);
      expect(lingeredMs).toBeLessThan(3_000);
    },
  );

  it('exits by itself, when it made guarded calls without the module', async () => {
    const { result, code, lingeredMs } = await run('done(await exercise(new Shop()));');

    expect(result).toEqual(['fine', 'down', 'CIRCUIT_OPEN']);
    expect(code).toBe(0);
    expect(lingeredMs).toBeLessThan(3_000);
  });

  it('stays until its call has ended, when only a time limit can end it', async () => {
    const { result, code } = await run(`
      const app = await createApp();
      codeOf(app.get(Shop).hanging()).then(done);
    `);

    expect(result).toBe('TIMEOUT');
    expect(code).toBe(0);
  });

  it('stays until the next attempt, when a call backs off without the module', async () => {
    const { result, code } = await run(`
      let attempts = 0;
      class Late { async load() { if (++attempts < 2) throw new Error('not yet'); return 'loaded'; } }
      const descriptor = Object.getOwnPropertyDescriptor(Late.prototype, 'load');
      Retry({ maxAttempts: 2, backoff: fixed(200) })(Late.prototype, 'load', descriptor);
      Object.defineProperty(Late.prototype, 'load', descriptor);
      codeOf(new Late().load()).then(done);
    `);

    expect(result).toBe('loaded');
    expect(code).toBe(0);
  });
});
