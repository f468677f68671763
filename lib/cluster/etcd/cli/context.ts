import type { Terminal } from '../../../cli/shell/terminal.js';

/** What a command for a fleet runs in. */
export interface ClusterContext {
  readonly terminal: Terminal;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly readFile: (path: string) => Buffer;
}
