import type { Attempt } from './attempt.js';

/** An attempt was answered by the last good answer: the calls around it are to know, since theirs is made of that. */
export function markStale(answered: Attempt, ageMs: number): void {
  for (let one: Attempt | undefined = answered; one !== undefined; one = one.outer) {
    const rare = one.rarely();
    rare.staleMs = Math.max(rare.staleMs ?? 0, ageMs);
    one.origin?.onStale?.(one.origin, rare.staleMs);
  }
}
