import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import type { AfterCloseReport } from './after-close.scene.js';
import { compileScene } from './support/compiled-scene.js';

const scene = compileScene('after-close');

afterAll(scene.remove);

describe('everything that lives longer than a call, when the app has closed', () => {
  it.each(['plain', 'callContext'])(
    'has no timer, keeps no store of a request, and has aborted every signal (%s)',
    { timeout: 60_000 },
    async (mode) => {
      const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', scene.file, mode]);
      const report = JSON.parse(stdout) as AfterCloseReport;

      expect(report.before).toEqual(expect.arrayContaining(['a wait for a slot', 'a time limit', 'a shared run']));
      expect(report.after).toEqual([]);
      expect(report.timers).toEqual([]);
      expect(report.notAborted).toEqual([]);
    },
  );
});
