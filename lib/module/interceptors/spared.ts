import type { AnyClass } from '../../guarded/guarded-method.js';

const spared = new WeakSet<AnyClass>();

/** Keeps interceptors of ours off a controller of ours: what shows why calls are refused is not to be refused with them. */
export function spare(controller: AnyClass): void {
  spared.add(controller);
}

export function isSpared(controller: AnyClass): boolean {
  return spared.has(controller);
}
