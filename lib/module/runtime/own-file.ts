import { isAbsolute } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * The path of this file, by which the package finds what lies beside it; '' where nothing tells it, as in a bundle of an app.
 *
 * `import.meta.url` would be simpler, but is no syntax of CommonJS, which Jest and bundlers make of the package.
 */
export const OWN_FILE = ownFile();

/** V8 knows the file of each frame; whatever the app has set for its stack traces is as before at the end. */
function ownFile(): string {
  const { stackTraceLimit } = Error;
  // eslint-disable-next-line @typescript-eslint/unbound-method -- it is put back where it was
  const { prepareStackTrace } = Error;
  try {
    Error.stackTraceLimit = 1;
    Error.prepareStackTrace = (_error, [frame]) => frame?.getFileName();
    const { stack } = new Error() as { stack: unknown };
    if (typeof stack !== 'string') return '';
    if (stack.startsWith('file:')) return fileURLToPath(stack);
    return isAbsolute(stack) ? stack : '';
  } catch {
    return '';
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
    Error.prepareStackTrace = prepareStackTrace;
  }
}
