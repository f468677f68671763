import type { Policies, Scenario } from './simulate.mjs';

type Trouble = Scenario['trigger'];

/** How clients and service fare in a trouble; numbers are of a second. */
export interface Comparison {
  goodput: number;
  worst: number;
  attempts: number;
  opened: number;
  recoveredAfter?: number;
}

export const SCENARIO: Omit<Scenario, 'trigger'>;
export const CAPACITY: number;
export const TROUBLES: Record<'overload' | 'outage', Trouble & { title: string }>;
export const CASES: readonly { key: string; title: string; policies: Policies }[];

export function compare(
  library: object,
  trouble: Trouble,
  policies: Policies,
  scenario?: Omit<Scenario, 'trigger'>,
): Promise<Comparison>;
