import type { Instance } from './instance.js';
import type { Standing } from './standing.js';

/** Trouble first, then traffic, then the name. */
export function compare(one: Instance, other: Instance): number {
  if (one.rank !== other.rank) return one.rank - other.rank;
  if (one.weight !== other.weight) return other.weight - one.weight;
  return one.name < other.name ? -1 : one.name > other.name ? 1 : 0;
}

/** What whoever looks wants to see. */
export interface Filter {
  /** Words; each must be in the name, in a guard, in a policy or in the standing. */
  readonly text: string;
  /** null: all. */
  readonly standing: Standing | null;
}

export function listed(instances: Iterable<Instance>, { text, standing }: Filter): Instance[] {
  const terms = text.toLowerCase().split(/\s+/).filter(Boolean);
  return [...instances]
    .filter(
      (instance) =>
        !instance.gone &&
        (standing === null || instance.standing === standing) &&
        terms.every((term) => instance.matches(term)),
    )
    .sort(compare);
}

/** How many stand how; gone ones are not counted. */
export function countStandings(instances: Iterable<Instance>): Map<Standing, number> {
  const counts = new Map<Standing, number>();
  for (const { gone, standing } of instances) if (!gone) counts.set(standing, (counts.get(standing) ?? 0) + 1);
  return counts;
}
