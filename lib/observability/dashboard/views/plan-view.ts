import { inspect } from 'node:util';
import { maskProperty } from '../../../errors/mask-credentials.js';
import type { PlannedPolicy } from '../../../pipeline/plan-init.js';
import type { PlanEntry } from '../../../planning/plan-entries.js';
import { oneLine } from '../one-line.js';
import type { InstanceDetail, PlanStepView } from '../protocol.js';

const LONGEST_VALUE = 200;

/** The plans in which a name takes part, outermost policy first. */
export function plansOf(name: string, entries: readonly PlanEntry[]): InstanceDetail['plans'] {
  return entries
    .filter(({ policies }) => policies.some((policy) => policy.name === name))
    .map((entry) => ({ guard: guardOf(entry), steps: entry.policies.map(stepOf) }));
}

function guardOf({ className, methodName, interceptor }: PlanEntry): string {
  const method = className === '' ? methodName : `${className}.${methodName}`;
  return interceptor === undefined ? method : `${method} (${interceptor})`;
}

function stepOf({ policy, name, options, sources }: PlannedPolicy): PlanStepView {
  return {
    policy,
    name,
    options: Object.entries(options)
      .filter(([, value]) => value !== undefined)
      .map(([option, value]) => ({ option, value: textOf(option, value), source: sources[option] ?? 'default' })),
  };
}

/** An option as text: as JSON where it is data, without what nobody may read. */
export function textOf(option: string, value: unknown): string {
  if (typeof value === 'function') return value.name === '' ? 'a function' : `function ${oneLine(value.name)}`;
  try {
    const masked = maskProperty(option, value);
    const text = JSON.stringify(masked, (key, inner: unknown) => plain(key, inner)) ?? inspect(masked, { depth: 1 });
    return oneLine(text, LONGEST_VALUE);
  } catch {
    return 'a value that cannot be shown';
  }
}

function plain(key: string, value: unknown): unknown {
  if (value === Infinity) return 'Infinity';
  if (typeof value === 'function') return value.name === '' ? 'a function' : `function ${value.name}`;
  return key === '' ? value : maskProperty(key, value);
}
