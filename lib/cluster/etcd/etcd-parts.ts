import type { EtcdPart, EtcdSurroundings } from './etcd-part.js';
import { EtcdRules } from './rules/etcd-rules.js';

/** What a process does in its fleet, by its options. */
export function partsOf(surroundings: EtcdSurroundings): EtcdPart[] {
  const { options } = surroundings;
  return [...(options.rules === false ? [] : [new EtcdRules(surroundings)])];
}
