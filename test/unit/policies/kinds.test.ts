import { describe, expect, it } from 'vitest';
import type { PolicyKey } from '../../../lib/events/resilience-event.js';
import { adaptive } from '../../../lib/kernel/adaptive-limit/adaptive.options.js';
import { ORDER, type Stage } from '../../../lib/pipeline/order.js';
import {
  isSetKey,
  isStateful,
  KINDS,
  kindOf,
  methodNamedIn,
  parsePolicy,
  POLICY_KEYS,
  type AnyKind,
  type Place,
  type SetKey,
} from '../../../lib/policies/kinds.js';
import type { PolicySet } from '../../../lib/policies/policy-set.js';

const kinds: readonly AnyKind[] = KINDS;

type Same<A, B> = [A, B] extends [B, A] ? true : false;
/** Places in the order that are no policy's: what one call of `execute()` says of its refusals. */
type OfCalls = 'onRefused';

describe('the kinds of policies', () => {
  it('stand in the order of the pipeline, each of their places once', () => {
    const allPlaced: Same<Stage, Place | OfCalls> = true;
    const places = kinds.flatMap((kind) => kind.places);

    expect(allPlaced).toBe(true);
    expect([...places, 'onRefused'].sort()).toEqual([...ORDER].sort());
    expect(new Set(places).size).toBe(places.length);
  });

  it('are listed outermost first', () => {
    const first = kinds.map(({ places: [place] }) => ORDER.indexOf(place as Stage));

    expect(first).toEqual([...first].sort((a, b) => a - b));
  });

  it('are those that a set can hold, and that events name', () => {
    const inSets: Same<Exclude<keyof PolicySet, 'name' | 'returns' | 'scope'>, SetKey> = true;
    const inEvents: Same<Exclude<PolicyKey, 'systemProtection'>, SetKey> = true;

    expect([inSets, inEvents]).toEqual([true, true]);
    expect(POLICY_KEYS.every((key) => kindOf(key).key === key && isSetKey(key))).toBe(true);
    expect(isSetKey('constructor')).toBe(false);
  });

  it.each(kinds)('$key: what it says of its options is said of options that it has', (kind) => {
    const known = (
      /expected one of: (.*)$/.exec(messageOf(() => kind.parse('place', { nothing: 1 })))?.[1] ?? ''
    ).split(', ');
    const named = [
      ...kind.codeOnly,
      ...(kind.alternatives ?? []),
      ...Object.keys(kind.dataForms ?? {}),
      ...(kind.shortFor === undefined ? [] : [kind.shortFor]),
      ...(kind.lends === undefined ? [] : [kind.lends.option]),
      ...Object.keys(kind.derived ?? {}),
      ...Object.keys(kind.defaults),
    ];

    expect(known).toEqual(expect.arrayContaining(named));
  });

  it('lend to one another what the other takes', () => {
    for (const { lends } of kinds) if (lends !== undefined) expect(isSetKey(lends.to)).toBe(true);
  });
});

describe('a setting of a policy', () => {
  it('is parsed as code and as data', () => {
    expect(parsePolicy('bulkhead', 'place', 5)).toEqual({ maxConcurrent: 5 });
    const asData = parsePolicy('bulkhead', 'place', { maxConcurrent: { adaptive: { max: 50 } } });

    expect(asData).toEqual({ maxConcurrent: adaptive({ max: 50 }) });
    expect(messageOf(() => parsePolicy('bulkhead', 'place', { maxQueue: -1 }))).toContain("place: option 'maxQueue'");
  });

  it('may name the method that answers', () => {
    expect(methodNamedIn('fallback', { use: 'cached' })).toBe('cached');
    expect(methodNamedIn('fallback', { use: () => 'cached' })).toBeUndefined();
    expect(methodNamedIn('bulkhead', 5)).toBeUndefined();
  });

  it('keeps state under a name, or none', () => {
    const stateful = POLICY_KEYS.filter(isStateful);

    expect(stateful).toEqual(expect.arrayContaining(['circuitBreaker', 'rateLimit', 'bulkhead']));
    expect(stateful).not.toContain('timeout');
    expect(stateful).not.toContain('retry');
  });
});

function messageOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return (error as Error).message;
  }
  return '';
}
