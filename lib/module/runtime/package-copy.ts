import { fileURLToPath } from 'node:url';
import { warnOnce } from '../event-log/warn-once.js';
import { PACKAGE_COPY } from '../tokens.js';
import { OWN_FILE } from './own-file.js';

/** Where this copy of the package lies. */
export const PACKAGE_PATH = pathOf(new URL('../..', OWN_FILE));

/**
 * A monorepo can bring two copies of the package into one process, of which each knows its own decorators only. Says so
 * where `value` is the runtime of another one.
 *
 * @param what of this copy meets it, as the warning names it.
 */
export function warnOfOtherCopy(what: string, value: unknown): void {
  const other = copyOf(value);
  if (other === undefined || other === PACKAGE_PATH) return;
  warnOnce(
    `${what} is of another copy of nestjs-bulwark than the ResilienceModule of the app, so that its methods run under their ` +
      `decorators alone: ${PACKAGE_PATH} and ${other}. Expected one copy in a process: see \`npm ls nestjs-bulwark\` and \`npm dedupe\`.`,
    `a copy at ${other}`,
  );
}

function copyOf(value: unknown): string | undefined {
  // An auto-mocked provider has every property, but none of them is a text.
  const copy = (value as { [PACKAGE_COPY]?: unknown } | null | undefined)?.[PACKAGE_COPY];
  return typeof copy === 'string' ? copy : undefined;
}

function pathOf(url: URL): string {
  return url.protocol === 'file:' ? fileURLToPath(url) : url.href;
}
