import type { EtcdPart, EtcdSurroundings } from './etcd-part.js';
import { Registration } from './discovery/registration.js';
import { Elections } from './election/elections.js';
import { EtcdRules } from './rules/etcd-rules.js';

/** What a process does in its fleet, by its options. */
export function partsOf(surroundings: EtcdSurroundings): EtcdPart[] {
  const { rules, discovery } = surroundings.options;
  return [
    ...(rules === false ? [] : [new EtcdRules(surroundings)]),
    new Elections(surroundings),
    ...(discovery === undefined ? [] : [new Registration(surroundings, discovery)]),
  ];
}
