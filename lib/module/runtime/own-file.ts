import { isAbsolute } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Where this copy of the package lies: the path of this file, of the bundle that it is in, or '' where no stack trace says it.
 *
 * `import.meta.url` would be simpler, but is no syntax of CommonJS, which Jest and bundlers make of the package.
 */
export const OWN_FILE = fileOf(new Error().stack);

/** `at file:///app/own-file.js:9:30` or `at Object.<anonymous> (/app/own-file.js:9:30)`. */
function fileOf(stack: unknown): string {
  const place = /^\s*at (?:[^/\\]*? \()?(.+?):\d+:\d+\)?$/m.exec(String(stack))?.[1] ?? '';
  if (place.startsWith('file:')) return fileURLToPath(place);
  return isAbsolute(place) ? place : '';
}
