import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { compileLib } from '../../../support/compiled-lib.js';

it('lets the process end that has made, opened and watched one', { timeout: 60_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'own-breaker-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await compileLib(folder);
  const script = `
    const { Breaker } = await import(${JSON.stringify(pathToFileURL(join(folder, 'index.js')).href)});
    const breaker = new Breaker('payments', { volumeThreshold: 1 });
    breaker.on('halfOpen', () => {});
    breaker.status.on('snapshot', () => {});
    breaker.healthCheck(() => Promise.resolve(), 60_000);
    await breaker.fire(() => Promise.reject(new Error('no'))).catch(() => {});
    console.log(breaker.state);
  `;

  const { stdout, status } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { timeout: 50_000 });

  expect([String(stdout).trim(), status]).toEqual(['open', 0]);
});
