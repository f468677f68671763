const USE = 'use is the name of a method, or a handler (error, call) => answer';
const ERRORS = 'on names the errors that it answers, skipOn those that it does not';

/** Options of fallbacks of other libraries, and what is there instead. */
export const FALLBACK_OPTIONS_ELSEWHERE: Readonly<Record<string, string>> = {
  fallbackMethod: USE,
  fallback: USE,
  method: USE,
  handler: USE,
  exceptions: ERRORS,
  ignoreExceptions: ERRORS,
  shouldHandle: ERRORS,
};
