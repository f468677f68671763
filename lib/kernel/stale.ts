import type { Attempt } from './attempt.js';
import type { Call } from './call.js';

/** A call was answered by the last good answer: the calls around it are to know, since theirs is made of that. */
export function markStale({ current }: Call, ageMs: number): void {
  for (let one: Attempt | undefined = current; one !== undefined; one = one.outer) {
    const rare = one.rarely();
    rare.staleMs = Math.max(rare.staleMs ?? 0, ageMs);
  }
}
