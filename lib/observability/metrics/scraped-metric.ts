import type { Metric } from 'prom-client';
import type { ReadModel } from '../../read-model/read-model.js';
import {
  prometheusName,
  type Across,
  type Duration,
  type DurationMeter,
  type Labels,
  type Meter,
  type Sample,
} from '../meters/meter.js';
import { readingOf, type Reading } from '../meters/reading.js';

const SECOND_MS = 1_000;

/** A line of the text format. */
export interface Line {
  /** Of a histogram; undefined: that of the metric. */
  readonly metricName?: string;
  /** The upper boundary of a bucket. */
  readonly le?: number | '+Inf';
  readonly labels: Labels;
  readonly value: number;
}

/** What a metric is at the moment. */
export interface Scraped {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly aggregator: Across;
  readonly values: readonly Line[];
}

/** The same as a registry of prom-client asks for it. */
type Registered = Omit<Scraped, 'values'> & { readonly values: readonly object[] };

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
  #labels: readonly Labels[] = [];

  constructor(
    private readonly meter: Meter | DurationMeter,
    private readonly source: ScrapeSource,
  ) {
    this.name = prometheusName(meter);
    this.help = meter.help;
    this.type = 'kind' in meter ? meter.kind : 'histogram';
    this.aggregator = 'kind' in meter ? meter.across : 'sum';
  }

  read(): Scraped {
    const { name, help, type, aggregator, meter } = this;
    const reading = this.source.read();
    return {
      name,
      help,
      type,
      aggregator,
      values: 'kind' in meter ? this.#samples(meter.read(reading)) : this.#durations(meter.read(reading)),
    };
  }

  /** As a registry asks for it. */
  async get(): Promise<Registered> {
    const { values, ...metric } = this.read();
    return {
      ...metric,
      values: values.map(({ le, labels, ...line }) => ({
        ...line,
        labels: le === undefined ? labels : { le, ...labels },
      })),
    };
  }

  /** The same for the text format: a registry keeps how it has written shared labels. */
  async getForPromString(): Promise<Registered> {
    const { values, ...metric } = this.read();
    return {
      ...metric,
      values: values.map(({ le, labels, ...line }) => ({
        ...line,
        labels: le === undefined ? {} : { le },
        sharedLabels: labels,
      })),
    };
  }

  #samples(samples: readonly Sample[]): Line[] {
    const labels = this.#kept(samples);
    return samples.map(({ value }, at) => ({ labels: labels[at] as Labels, value }));
  }

  #durations(durations: readonly Duration[]): Line[] {
    const labels = this.#kept(durations);
    return durations.flatMap(({ counts }, at) => this.#linesOf(counts, labels[at] as Labels));
  }

  /** The labels of the scrape before, where they are the same: whoever writes them keeps how that was. */
  #kept(series: readonly { readonly labels: Labels }[]): readonly Labels[] {
    const before = this.#labels;
    return (this.#labels = series.map(({ labels }, at) => {
      const known = before[at];
      return known !== undefined && sameLabels(known, labels) ? known : labels;
    }));
  }

  /** What is counted is not the registry's to forget. */
  reset(): void {
    // Counters that go back to zero by themselves are what Prometheus takes for a restart.
  }

  /** As registries have it: what they ask of a metric is less than what prom-client says that one is. */
  asMetric(): Metric {
    return this as unknown as Metric;
  }

  #linesOf(counts: Duration['counts'], labels: Labels): Line[] {
    const { name } = this;
    const [bucket, sum, count] = [`${name}_bucket`, `${name}_sum`, `${name}_count`];
    const lines: Line[] = [];
    if ('buckets' in counts) {
      let below = 0;
      for (const [at, le] of this.source.buckets.entries()) {
        below += counts.buckets[at] as number;
        lines.push({ metricName: bucket, le, labels, value: below });
      }
    }
    lines.push({ metricName: bucket, le: '+Inf', labels, value: counts.count });
    lines.push({ metricName: sum, labels, value: counts.sumMs / SECOND_MS });
    lines.push({ metricName: count, labels, value: counts.count });
    return lines;
  }
}

/** They are those of one metric, so that the names are the same. */
function sameLabels(one: Labels, other: Labels): boolean {
  for (const name in one) if (one[name] !== other[name]) return false;
  return true;
}
