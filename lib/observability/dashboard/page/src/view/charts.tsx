import { useMemo } from 'preact/hooks';
import type { HistoryPoint } from '../../../protocol.js';
import { count, duration, NONE } from '../model/format.js';
import { chartData, stacked } from '../model/series.js';
import { seconds } from '../state/detail.js';
import { Chart, type Line } from './chart.js';

const rate = (value: number | null): string => (value === null ? NONE : count(value));

/** The last minutes of one instance. */
export function Charts({ history }: { readonly history: readonly HistoryPoint[] }) {
  const newer = seconds.value;
  const { at, outcomes, latencies } = useMemo(() => {
    const data = chartData(history, newer);
    // What went wrong stands on the ground line, where its height can be read.
    const areas = [
      { label: 'Success', colour: '--chart-success', values: data.success },
      { label: 'Substituted', colour: '--chart-substituted', values: data.substituted },
      { label: 'Refused', colour: '--chart-refused', values: data.refused },
      { label: 'Failure', colour: '--chart-failure', values: data.failure },
    ];
    const drawn = stacked(areas.map(({ values }) => values));
    return {
      at: data.at,
      outcomes: areas.map((area, index): Line => ({ ...area, drawn: drawn[index] ?? [] })),
      latencies: [
        { label: 'p99', colour: '--chart-p99', values: data.p99, dash: [6, 3] },
        { label: 'p95', colour: '--chart-p95', values: data.p95 },
        { label: 'p50', colour: '--chart-p50', values: data.p50, dash: [2, 2] },
      ] satisfies Line[],
    };
  }, [history, newer]);
  return (
    <div class="charts">
      <section class="card">
        <Chart title="Calls a second" at={at} lines={outcomes} areas format={rate} />
      </section>
      <section class="card">
        <Chart title="Latency" at={at} lines={latencies} format={duration} />
      </section>
    </div>
  );
}
