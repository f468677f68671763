import { vi } from 'vitest';

/** Counts the AbortControllers that are made from now on, until `vi.unstubAllGlobals()`. */
export function countControllers(): () => number {
  let made = 0;
  class CountedController extends AbortController {
    constructor() {
      super();
      made++;
    }
  }
  vi.stubGlobal('AbortController', CountedController);
  return () => made;
}
