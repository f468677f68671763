import type { CallCounts } from '../../read-model/call-counts.js';
import type { ClusterSource } from '../../read-model/cluster-source.js';
import type { IngressReport } from '../../read-model/instance-report.js';
import type { InstanceState } from '../../read-model/read-instances.js';
import type { ReadModel } from '../../read-model/read-model.js';

/** What there is to see at one moment: all series of a scrape are read from the same. */
export interface Reading {
  readonly counts: readonly (readonly [name: string, counts: CallCounts])[];
  /** Without those that have no room for a name of their own. */
  readonly states: readonly (readonly [name: string, state: InstanceState])[];
  readonly ingress: IngressReport | undefined;
  readonly clusters: readonly ClusterSource[];
}

export function readingOf(model: ReadModel): Reading {
  return {
    counts: [...model.counts()],
    states: [...model.states()].filter(([name]) => model.nameFor(name) === name),
    ingress: model.ingress(),
    clusters: model.clusters(),
  };
}
