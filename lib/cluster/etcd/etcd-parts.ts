import type { EtcdPart, EtcdSurroundings } from './etcd-part.js';

/** What a process does in its fleet, by its options. */
export function partsOf(_surroundings: EtcdSurroundings): EtcdPart[] {
  return [];
}
