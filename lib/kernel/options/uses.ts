import { isPlainObject } from './check.js';

/** What answers in a setting of one answer or of a list of them: the names of methods, and handlers. */
export function usesIn(setting: unknown): readonly unknown[] {
  const answers: readonly unknown[] = Array.isArray(setting) ? setting : [setting];
  return answers.map((one) => (isPlainObject(one) ? one.use : one));
}
