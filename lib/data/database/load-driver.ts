import { DataDriverMissingException } from '../port/errors.js';

/**
 * Loads a package that only users of one backend install.
 *
 * @param install what they install.
 * @throws DataDriverMissingException saying what to install.
 */
export async function loadDriver<T>(packageName: string, install: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    if (!isNotFound(cause)) throw cause;
    throw new DataDriverMissingException(
      `databaseData needs the package '${packageName}', which cannot be loaded (${cause.message}); ` +
        `install it with: npm install ${install}`,
      { cause },
    );
  }
}

function isNotFound(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND';
}
