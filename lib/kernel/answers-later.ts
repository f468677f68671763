import { types } from 'node:util';

/** Whether a function cannot but give a promise or an iterator. One that was compiled to an older language can hide it. */
export function answersLater(value: unknown): boolean {
  return types.isAsyncFunction(value) || types.isGeneratorFunction(value);
}
