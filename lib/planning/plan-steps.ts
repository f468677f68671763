import { ResilienceConfigurationError, type Mistakes } from '../errors/configuration.error.js';
import type { Options } from '../kernel/options/options.js';
import type { Loan, PlannedStep, Step } from '../kernel/policy-kind.js';
import { ORDER } from '../pipeline/order.js';
import type { PlannedPolicy } from '../pipeline/plan-init.js';
import { KINDS, kindOf, type AnyKind, type Place, type SetKey } from '../policies/kinds.js';
import { budgetWish, type BudgetWish } from './budget-wish.js';
import { describeOptions } from './describe-options.js';
import type { Resolution, ResolvedPolicy } from './resolution.js';
import type { PlannedTarget } from './target.js';

/** One step of a plan, as data. */
export interface PlanStep extends PlannedStep<Place> {
  readonly policy: SetKey;
  /** Under the kill switch: it stands aside, but whoever holds its handle still finds its state. */
  readonly idle: boolean;
  /** The budget that it draws from; undefined: none. */
  readonly budget: BudgetWish | undefined;
}

/** How plans are made for the app. */
export interface PlanMode {
  /** `false`: the kill switch is on. */
  readonly enabled: boolean;
  /** Without the module a policy without a value is skipped. */
  readonly lenient: boolean;
  /** No policy applies, Fallback and Recover included: a test looks at the methods alone. @default false */
  readonly bypassed?: boolean;
}

const kinds: readonly AnyKind[] = KINDS;
const kindAt = new Map<string, AnyKind>(kinds.flatMap((kind) => kind.places.map((place) => [place, kind] as const)));
const lenderTo = new Map(kinds.flatMap((kind) => (kind.lends === undefined ? [] : [[kind.lends.to, kind] as const])));

/**
 * The plan of a method, as data: what stands at each place of the order, with which options, and where they come from.
 *
 * @param mistakes is told of each policy that cannot be planned; the others are.
 */
export function planSteps(
  target: PlannedTarget,
  resolution: Resolution,
  mode: PlanMode,
  mistakes: Mistakes,
): readonly PlanStep[] {
  const found = new Map<string, PlanStep>();
  for (const stage of ORDER) {
    const kind = kindAt.get(stage);
    // One that has two places is planned once, for both.
    if (kind === undefined || kind.places.at(-1) !== stage) continue;
    const steps = mistakes.in(() => stepsOf(kind, target, resolution, mode)) ?? [];
    for (const step of steps) found.set(step.place, step);
  }
  return ORDER.flatMap((stage) => found.get(stage) ?? []);
}

/** The steps as `plan()` shows them. */
export function shown(steps: readonly PlanStep[]): PlannedPolicy[] {
  return steps
    .filter(({ idle }) => !idle)
    .map(({ policy, name, options, sources }) => ({
      policy,
      name,
      options: describeOptions(options),
      sources: Object.fromEntries(Object.entries(sources).filter(([option]) => Object.hasOwn(options, option))),
    }));
}

/** @throws ResilienceConfigurationError */
function stepsOf(kind: AnyKind, target: PlannedTarget, resolution: Resolution, mode: PlanMode): PlanStep[] {
  const resolved = resolution.policies.get(kind.key);
  const isIdle = mode.bypassed === true ? kind.state !== undefined : !mode.enabled && kind.underKillSwitch === 'kept';
  if (mode.bypassed === true && !isIdle) return [];
  if (!mode.enabled && kind.underKillSwitch !== 'works' && !isIdle) return [];
  return given(kind, target, resolution, mode.lenient).map((step) => ({
    ...step,
    policy: kind.key,
    name: nameOf(kind, target, resolved, step.options),
    ruling: resolved?.ruling,
    idle: isIdle,
    budget: kind.budget === 'takes' && resolved !== undefined ? budgetWish(target, resolution, resolved) : undefined,
  }));
}

function given(kind: AnyKind, target: PlannedTarget, resolution: Resolution, lenient: boolean): readonly Step<Place>[] {
  const resolved = resolution.policies.get(kind.key);
  const place = `${target.instanceName}, ${resolved?.label ?? kind.key}`;
  if (kind.steps !== undefined) return kind.steps({ place, resolved, lenient, lent: loanTo(kind, resolution) });
  if (resolved === undefined || (lenient && kind.isEmpty?.(resolved.options) === true)) return [];
  refuseStreams(place, kind, target, resolution);
  const options = kind.resolve?.(place, resolved.options) ?? resolved.options;
  return [{ place: kind.places[0] as Place, options, sources: { ...kind.derived, ...resolved.sources } }];
}

/** What another policy lends to `kind` for want of its own; whoever has turned it off wants none. */
function loanTo({ key }: AnyKind, { policies, off }: Resolution): Loan | undefined {
  const lender = lenderTo.get(key);
  const resolved = lender === undefined ? undefined : policies.get(lender.key);
  if (lender?.lends === undefined || resolved === undefined || off.has(key)) return undefined;
  const { option } = lender.lends;
  return { by: lender.key, option, value: resolved.options[option] };
}

/** @throws ResilienceConfigurationError when the target gives a stream, which cannot run beside itself. */
function refuseStreams(
  place: string,
  { refusesStreams, takesAnswers }: AnyKind,
  target: PlannedTarget,
  { returns }: Resolution,
): void {
  if (refusesStreams === undefined || (takesAnswers === true && target.answersOnce === true)) return;
  const gives = target.kind ?? returns;
  if (gives !== 'observable' && gives !== 'asyncIterable') return;
  const found = gives === 'observable' ? 'an Observable' : 'an async iterable';
  throw new ResilienceConfigurationError(
    place,
    `${refusesStreams} expects a method that gives a promise, got ${found}`,
  );
}

function nameOf(kind: AnyKind, target: PlannedTarget, resolved: ResolvedPolicy | undefined, options: Options): string {
  const name = resolved?.name ?? target.instanceName;
  const isOwn = kind.state !== undefined && options.scope === 'instance';
  return isOwn ? (target.nameOfState?.(name) ?? name) : name;
}

/** Whether calls meet in what a step keeps. */
export function keepsState({ policy }: PlanStep): boolean {
  return kindOf(policy).state !== undefined;
}
