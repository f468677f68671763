import { declarationOf } from './declaration-of.js';
import type { ResponseSlot } from '../pipeline/response-slot.js';
import type { Idempotency } from './idempotency.js';
import { nothingDeclared, type AnyClass, type Declared, type GuardedMethod } from './guarded-method.js';

/** What the decorators of one class said. */
export interface GuardedClass {
  readonly methods: Map<string, GuardedMethod>;
  /** Where `@Signal()` stands, by method. */
  readonly signals: Map<string, number>;
  /** Methods that get a signal from something else than a policy. */
  readonly signalled: Set<string>;
  /** What `@Idempotent()` says, by method. */
  readonly idempotent: Map<string, Idempotency>;
  /** Where Nest hands its response to handlers that have not asked for it, by method. */
  readonly responses: Map<string, ResponseSlot>;
  readonly declared: Declared;
  /** Methods that a decorator of the class does not cover, with the reason. */
  readonly uncovered: Map<string, string>;
}

const classes = new WeakMap<AnyClass, GuardedClass>();

/** The record of `target` for a decorator to fill, made at the first request. It holds code, not state, so apps may share it. */
export function recordOf(target: AnyClass): GuardedClass {
  let record = classes.get(target);
  if (record === undefined) {
    record = {
      methods: new Map(),
      signals: new Map(),
      signalled: new Set(),
      idempotent: new Map(),
      responses: new Map(),
      declared: nothingDeclared(),
      uncovered: new Map(),
    };
    classes.set(target, record);
  }
  return record;
}

/** What decorators have said of `target`; undefined: nothing. A look makes no record, by which a class would pass for a guarded one. */
export function knownOf(target: AnyClass): GuardedClass | undefined {
  return classes.get(target);
}

/** The classes from `target` up to the root that have a record, nearest first. */
export function guardedLineage(target: AnyClass): [AnyClass, GuardedClass][] {
  const lineage: [AnyClass, GuardedClass][] = [];
  for (let current: unknown = target; typeof current === 'function'; current = Object.getPrototypeOf(current)) {
    const record = classes.get(current as AnyClass);
    if (record !== undefined) lineage.push([current as AnyClass, record]);
  }
  return lineage;
}

/** The argument at which a method wants its AbortSignal; -1: nowhere. */
export function signalIndexOf({ declaringClass, methodName }: GuardedMethod): number {
  return knownOf(declaringClass)?.signals.get(methodName) ?? -1;
}

/** What a method, or the one that it overrides, says of being repeated; undefined: nothing. */
export function idempotencyOf(concrete: AnyClass, methodName: string): Idempotency | undefined {
  for (const [, { idempotent }] of guardedLineage(concrete)) {
    const found = idempotent.get(methodName);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The method that a call on an instance of `concrete` reaches, if a decorator of ours stands on it. */
export function guardedMethodOf(concrete: AnyClass, methodName: string): GuardedMethod | undefined {
  const prototype = declarationOf(concrete, methodName)?.holder as { constructor?: unknown } | undefined;
  const declaring = prototype?.constructor;
  return typeof declaring === 'function' ? knownOf(declaring as AnyClass)?.methods.get(methodName) : undefined;
}
