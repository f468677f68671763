import { pathToFileURL } from 'node:url';

/**
 * Where this module lies. `import.meta.url` would say so, too: but whoever lets Jest compile the package to CommonJS could not
 * even load what has it. So the stack says it, as the engine has it and not as source maps do.
 */
export const OWN_FILE = asUrl(nameOfThisFile());

function nameOfThisFile(): string | undefined {
  const settings = ['prepareStackTrace', 'stackTraceLimit'] as const;
  const before = settings.map((name): unknown => Reflect.get(Error, name));
  try {
    Error.stackTraceLimit = 1;
    Error.prepareStackTrace = (_error, sites) => sites[0]?.getFileName();
    const { stack } = new Error() as { stack?: unknown };
    return typeof stack === 'string' ? stack : undefined;
  } catch {
    // The globals of some processes are frozen.
    return undefined;
  } finally {
    settings.forEach((name, index) => Reflect.set(Error, name, before[index]));
  }
}

/** Where nobody says it, the folder that the process works in has to do. */
function asUrl(name = process.cwd()): URL {
  return /^\w{2,}:/.test(name) ? new URL(name) : pathToFileURL(name);
}
