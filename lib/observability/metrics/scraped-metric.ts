import type { Metric } from 'prom-client';
import type { ReadModel } from '../../read-model/read-model.js';
import { prometheusName, type Across, type Duration, type DurationMeter, type Meter } from '../meters/meter.js';
import { readingOf, type Reading } from '../meters/reading.js';

const SECOND_MS = 1_000;

/** A line of the text format, as prom-client's registry takes it. */
interface Line {
  readonly metricName?: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/** What a registry asks of a metric; prom-client's own classes keep values of their own. */
interface Scraped {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly aggregator: Across;
  readonly values: readonly Line[];
}

/** Reads everything once for all metrics of a scrape, since a registry asks them one by one, in one turn. */
export class ScrapeSource {
  #reading: Reading | undefined;

  constructor(private readonly model: ReadModel) {}

  get buckets(): readonly number[] {
    return this.model.buckets;
  }

  read(): Reading {
    if (this.#reading !== undefined) return this.#reading;
    queueMicrotask(() => (this.#reading = undefined));
    return (this.#reading = readingOf(this.model));
  }
}

/** A metric of a registry whose values are read when it is scraped: until then it costs nothing. */
export class ScrapedMetric {
  /** A registry for OpenMetrics takes `_total` off the name of a counter. */
  name: string;
  readonly help: string;
  readonly type: Scraped['type'];
  readonly aggregator: Across;

  constructor(
    private readonly meter: Meter | DurationMeter,
    private readonly source: ScrapeSource,
  ) {
    this.name = prometheusName(meter);
    this.help = meter.help;
    this.type = 'kind' in meter ? meter.kind : 'histogram';
    this.aggregator = 'kind' in meter ? meter.across : 'sum';
  }

  async get(): Promise<Scraped> {
    const { name, help, type, aggregator, meter } = this;
    const reading = this.source.read();
    const values: readonly Line[] =
      'kind' in meter ? meter.read(reading) : meter.read(reading).flatMap((one) => this.#linesOf(one));
    return { name, help, type, aggregator, values };
  }

  /** What is counted is not the registry's to forget. */
  reset(): void {
    // Counters that go back to zero by themselves are what Prometheus takes for a restart.
  }

  /** As registries have it: what they ask of a metric is less than what prom-client says that one is. */
  asMetric(): Metric {
    return this as unknown as Metric;
  }

  #linesOf({ labels, counts }: Duration): Line[] {
    const { name } = this;
    const bounds = 'buckets' in counts ? this.source.buckets : [];
    const lines: Line[] = [];
    let below = 0;
    for (const [index, le] of bounds.entries()) {
      below += 'buckets' in counts ? (counts.buckets[index] as number) : 0;
      lines.push({ metricName: `${name}_bucket`, labels: { le, ...labels }, value: below });
    }
    lines.push({ metricName: `${name}_bucket`, labels: { le: '+Inf', ...labels }, value: counts.count });
    lines.push({ metricName: `${name}_sum`, labels, value: counts.sumMs / SECOND_MS });
    lines.push({ metricName: `${name}_count`, labels, value: counts.count });
    return lines;
  }
}
