const USE = 'use is the name of a method, or a handler (error, call) => answer';

/** Options of fallbacks of other libraries, and what is there instead. */
export const FALLBACK_OPTIONS_ELSEWHERE: Readonly<Record<string, string>> = {
  fallbackMethod: USE,
  fallback: USE,
  method: USE,
  handler: USE,
  exceptions: 'on names the errors that it answers, skipOn those that it does not',
  ignoreExceptions: 'on names the errors that it answers, skipOn those that it does not',
  shouldHandle: 'on names the errors that it answers, skipOn those that it does not',
};
