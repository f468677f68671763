import type { Runtime } from '../../../module/runtime/runtime.js';
import type { ResilienceRules } from '../../../module/rules/resilience-rules.js';
import { planEntries } from '../../../planning/plan-entries.js';
import type { BulkheadReport } from '../../../read-model/instance-report.js';
import type { InstanceState } from '../../../read-model/read-instances.js';
import type { Hub } from '../hub/hub.js';
import type { BreakerState, InstanceDetail, InstanceRow } from '../protocol.js';
import { plansOf } from './plan-view.js';
import { ruleLinesOf } from './rules-view.js';

/** So many keys of a breaker are shown, those first that are not closed. */
const MOST_KEYS = 100;

/** What the page of one instance shows. */
export function detailOf(
  row: InstanceRow,
  { runtime, rules, hub, seesErrors }: { runtime: Runtime; rules: ResilienceRules; hub: Hub; seesErrors: boolean },
): InstanceDetail {
  const { name } = row;
  const entries = planEntries(runtime.app);
  const { breaker, bulkhead, rateLimit, budget } = runtime.readModel.states().get(name) ?? {};
  return {
    row,
    now: runtime.environment.clock.wallNow(),
    plans: plansOf(name, entries),
    rules: {
      revision: revisionOf(runtime, rules),
      by: hub.rulesBy ?? null,
      lines: ruleLinesOf(name, rules.current, runtime.app),
    },
    breaker: breaker === undefined ? null : breakerOf(breaker, keysOf(runtime, name)),
    bulkhead: bulkhead === undefined ? null : bulkheadOf(bulkhead),
    rateLimit:
      rateLimit === undefined
        ? null
        : {
            available: rateLimit.available ?? null,
            waiting: rateLimit.waiting,
            limit: rateLimit.limit,
            per: rateLimit.per,
          },
    budget: budget === undefined ? null : { tokens: budget.tokens },
    history: hub.historyOf(name),
    lastErrors: seesErrors ? hub.errors.of(name) : null,
  };
}

type Breaker = NonNullable<InstanceDetail['breaker']>;

function breakerOf(report: NonNullable<InstanceState['breaker']>, keys: Breaker['keys']): Breaker {
  const { state, reason, probesAt, calls, failureRatio, thresholdRatio, metricsOnly } = report;
  return { state, reason, probesAt: probesAt ?? null, calls, failureRatio, thresholdRatio, metricsOnly, keys };
}

function keysOf(runtime: Runtime, name: string): Breaker['keys'] {
  const breakers = runtime.instances.namedBreakers().find((one) => one.name === name);
  if (breakers === undefined || breakers.single !== undefined) return null;
  const now = runtime.environment.clock.now();
  const [, ...keyed] = breakers.cores();
  const keys = keyed.map(({ name: full, place, machine }): { key: string; state: BreakerState } => ({
    key: full.slice(place.length + 1, -1),
    state: machine.stateAt(now),
  }));
  const isClosed = ({ state }: { state: BreakerState }): boolean => state === 'closed';
  return [...keys.filter((key) => !isClosed(key)), ...keys.filter(isClosed)].slice(0, MOST_KEYS);
}

/** That of the cluster goes before that of the document: it is what all processes know it by. */
function revisionOf({ readModel }: Runtime, { current }: ResilienceRules): string | null {
  const ofCluster = readModel.clusters().flatMap(({ rules }) => rules?.revision ?? [])[0];
  const revision = ofCluster ?? current?.version;
  return revision === undefined ? null : String(revision);
}

function bulkheadOf({ active, waiting, limit, keys }: BulkheadReport): InstanceDetail['bulkhead'] {
  return { active, waiting, limit, keys: keys ?? null };
}
