import { DataAccessException, DataException, DataUnavailableException } from './errors.js';

/** What to do about what the system says of a path, by its code. */
const ADVICE: Readonly<Record<string, string>> = {
  EACCES: 'let the user of this process read and write there',
  EPERM: 'let the user of this process read and write there',
  EROFS: 'mount the volume writable, or name a path on one that is',
  EEXIST: 'name a path that is a folder, or that nothing has yet',
  ENOTDIR: 'name a path of which each part is a folder',
  EISDIR: 'name the path of a file',
  ENOENT: 'create what is missing, or name a path that is there',
  ELOOP: 'name a path without symbolic links in a circle',
  ENAMETOOLONG: 'name a shorter path',
  ENOSPC: 'make room on the volume',
  EDQUOT: 'raise the quota of the user of this process, or make room',
  EMFILE: 'raise the limit of open files of this process',
  ENFILE: 'raise the limit of open files of the machine',
};
/** These may pass by themselves. */
const PASSING = new Set(['ENOSPC', 'EDQUOT', 'EMFILE', 'ENFILE']);

/** What is to be done, to stand behind what the system says; empty where only the system's own words help. */
export function adviceFor(error: unknown): string {
  const advice = ADVICE[codeOf(error)];
  return advice === undefined ? '' : `; ${advice}`;
}

/**
 * An error of a file call as the callers of a data service get it: with the path, and what to do.
 *
 * @param what was tried: `The data folder /srv/data cannot be opened`.
 */
export function fileProblem(what: string, cause: unknown): unknown {
  const code = codeOf(cause);
  if (cause instanceof DataException || code === '') return cause;
  const message = `${what}: ${(cause as Error).message}${adviceFor(cause)}`;
  const isLasting = Object.hasOwn(ADVICE, code) && !PASSING.has(code);
  return isLasting ? new DataAccessException(message, { cause }) : new DataUnavailableException(message, { cause });
}

/** Runs work on files, and has its errors as {@link fileProblem} gives them. */
export async function tellingFileProblems<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw fileProblem(what, error);
  }
}

/** Of a system call's error; empty where it is none. */
function codeOf(error: unknown): string {
  const { code, syscall } = Object(error) as { code?: unknown; syscall?: unknown };
  return error instanceof Error && typeof code === 'string' && (syscall !== undefined || Object.hasOwn(ADVICE, code))
    ? code
    : '';
}
