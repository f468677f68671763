import { AdvicePart } from './breakers/advice.part.js';
import { CommandsPart } from './commands/commands.part.js';
import type { EtcdPart, EtcdSurroundings } from './etcd-part.js';

/** What a process does in its fleet, by its options. */
export function partsOf(surroundings: EtcdSurroundings): EtcdPart[] {
  const { commands, breakers } = surroundings.options;
  return [
    ...(commands ? [new CommandsPart(surroundings)] : []),
    ...(breakers === 'off' ? [] : [new AdvicePart(surroundings, breakers)]),
  ];
}
