import { spawnSync } from 'node:child_process';
import { missingServer } from './own-server.js';

/** Why what needs promtool is skipped; undefined: it is there. */
export function promtoolMissing(): string | undefined {
  const { error } = spawnSync('promtool', ['--version'], { stdio: 'ignore' });
  return error === undefined ? undefined : missingServer('promtool', 'prometheus');
}

/** Runs promtool to its end. @returns all that it says, with its exit code. */
export function promtool(args: readonly string[], cwd: string, input = ''): { code: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync('promtool', args, { cwd, input, encoding: 'utf8' });
  return { code: status, output: `${stdout}${stderr}` };
}
