import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LeakReport } from './leak.scene.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const output = join(root, 'node_modules', '.cache', 'nestjs-bulwark', `leak-${process.pid}`);

/** Compiles the package and the scene, so that a plain Node can run them: a test runner's own memory would drown a leak. */
function compile(): string {
  mkdirSync(output, { recursive: true });
  const exports = { '.': './lib/index.js' };
  writeFileSync(join(output, 'package.json'), JSON.stringify({ name: 'nestjs-bulwark', type: 'module', exports }));
  const sources = readdirSync(join(root, 'lib'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join('lib', name));
  for (const source of [...sources, join('test', 'e2e', 'leak.scene.ts')]) {
    const { outputText } = ts.transpileModule(readFileSync(join(root, source), 'utf8'), {
      fileName: source,
      compilerOptions: {
        target: ts.ScriptTarget.ES2023,
        module: ts.ModuleKind.ESNext,
        experimentalDecorators: true,
        emitDecoratorMetadata: true,
      },
    });
    const target = join(output, source.replace(/\.ts$/, '.js'));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, outputText);
  }
  return join(output, 'test', 'e2e', 'leak.scene.js');
}

describe('20,000 calls through a full stack, ended by success, failure, timeout, abort and refusal', () => {
  let report: LeakReport;

  beforeAll(async () => {
    const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', compile()], {
      timeout: 110_000,
    });
    report = JSON.parse(stdout) as LeakReport;
  }, 120_000);

  afterAll(() => rmSync(output, { recursive: true, force: true }));

  it('end in every way that they can', () => {
    const { calls, outcomes } = report;

    expect(calls).toBeGreaterThanOrEqual(20_000);
    expect(Object.keys(outcomes).sort()).toEqual([
      'AbortError',
      'BulkheadFullException',
      'CircuitOpenException',
      'Error',
      'TimeoutException',
      'value',
    ]);
  });

  it('leave no listener on the signal that came with all of them', () => {
    expect(report.listenersOnLongLivedSignal).toBe(0);
  });

  it('leave no listener on the signals that were aborted', () => {
    expect(report.listenersOnAbortedSignals).toBe(0);
  });

  it('leave at most one timer for each time limit of the app, not one for each call', () => {
    // Four methods and one set have a limit, four of them a total as well, one a wait and an abandonment.
    expect(report.timersWhileOpen).toBeLessThanOrEqual(14);
  });

  it('leave no timer once the app is closed', () => {
    expect(report.timersAfterClose).toBe(0);
  });

  it('leave no handle once the app is closed, and the process ends by itself', () => {
    expect(report.resourcesAfterClose).toEqual([]);
  });

  it('do not make the heap grow', () => {
    // 5,000 calls: a leak of one small object each would be 300 KB or more.
    expect(report.heapGrowth).toBeLessThan(250_000);
  });

  it('do not keep the AsyncLocalStorage stores of the requests that made them', () => {
    const kept = Object.entries(report.storesAlive).filter(([, count]) => count > 0);

    expect(kept).toEqual([]);
  });
});
