import { AdvicePart } from './breakers/advice.part.js';
import { CommandsPart } from './commands/commands.part.js';
import type { EtcdPart, EtcdSurroundings } from './etcd-part.js';
import { Registration } from './discovery/registration.js';
import { Elections } from './election/elections.js';
import { EtcdRules } from './rules/etcd-rules.js';

/** What a process does in its fleet, by its options. */
export function partsOf(surroundings: EtcdSurroundings): EtcdPart[] {
  const { rules, commands, breakers, discovery } = surroundings.options;
  return [
    ...(rules === false ? [] : [new EtcdRules(surroundings)]),
    ...(commands ? [new CommandsPart(surroundings)] : []),
    ...(breakers === 'off' ? [] : [new AdvicePart(surroundings, breakers)]),
    new Elections(surroundings),
    ...(discovery === undefined ? [] : [new Registration(surroundings, discovery)]),
  ];
}
