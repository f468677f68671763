import { counter, gauge, type Meter } from './meter.js';

/** What a process knows of the cluster that it is a part of. */
export const CLUSTER_METERS: readonly Meter[] = [
  gauge('bulwark.store.up', '', 'Whether the store of the cluster answers, 1 or 0.', 'min', ({ clusters }) =>
    clusters.flatMap(({ store }) =>
      store === undefined ? [] : { labels: { store: store.name }, value: store.up ? 1 : 0 },
    ),
  ),
  counter('bulwark.store.errors', '{error}', 'Requests to the store of the cluster that failed.', ({ clusters }) =>
    clusters.flatMap(({ store }) =>
      store === undefined ? [] : { labels: { store: store.name }, value: store.errors },
    ),
  ),
  gauge(
    'bulwark.rules.revision',
    '',
    'The revision of the rules in force that came from the cluster.',
    'max',
    ({ clusters }) =>
      clusters.flatMap(({ rules }) => {
        const revision = rules?.revision === undefined ? NaN : Number(rules.revision);
        return Number.isFinite(revision) ? { labels: {}, value: revision } : [];
      }),
  ),
  counter('bulwark.rules.rejected', '{rules}', 'Sets of rules from the cluster that were refused.', ({ clusters }) =>
    clusters.flatMap(({ rules }) => (rules === undefined ? [] : { labels: {}, value: rules.rejected })),
  ),
  gauge('bulwark.leader', '', 'Whether this process leads, 1 or 0.', 'max', ({ clusters }) =>
    clusters.flatMap(({ leaders }) =>
      [...(leaders ?? [])].map(([name, leads]) => ({ labels: { name }, value: leads ? 1 : 0 })),
    ),
  ),
];
