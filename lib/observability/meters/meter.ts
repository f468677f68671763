import type { CallCounts, WaitSum } from '../../read-model/call-counts.js';
import type { DurationCounts } from '../../read-model/duration-counts.js';
import type { Reading } from './reading.js';
import { snakeCase } from './snake-case.js';

/** What a series is told apart by. */
export type Labels = Readonly<Record<string, string>>;

/** One series, as it stands now. */
export interface Sample {
  readonly labels: Labels;
  readonly value: number;
}

/** What the processes of one host are to do with each other's values, where they are shown as one. */
export type Across = 'sum' | 'average' | 'first' | 'min' | 'max';

interface Described {
  /** As OpenTelemetry writes it: `bulwark.calls`. */
  readonly name: string;
  readonly help: string;
  /** In UCUM, as OpenTelemetry has it; `''`: none. */
  readonly unit: string;
}

/** A count, or a level, that is read when somebody looks. */
export interface Meter extends Described {
  readonly kind: 'counter' | 'gauge';
  readonly across: Across;
  read(reading: Reading): readonly Sample[];
}

/** How long something took, of those that have such a series. */
export interface Duration {
  readonly labels: Labels;
  readonly counts: DurationCounts | WaitSum;
}

/** How long something took, in buckets. */
export interface DurationMeter extends Described {
  /** Whether it has the boundaries of the read model; else there is a sum and a count alone. */
  readonly bucketed: boolean;
  read(reading: Reading): readonly Duration[];
}

/** The name that Prometheus has for a meter. */
export function prometheusName({ name, ...meter }: Meter | DurationMeter): string {
  const plain = name.replaceAll('.', '_');
  return 'kind' in meter && meter.kind === 'counter' ? `${plain}_total` : plain;
}

export function counter(name: string, unit: string, help: string, read: Meter['read']): Meter {
  return { name, unit, help, read, kind: 'counter', across: 'sum' };
}

export function gauge(name: string, unit: string, help: string, across: Across, read: Meter['read']): Meter {
  return { name, unit, help, read, kind: 'gauge', across };
}

/** One series for each name. */
export function countOf(pick: (counts: CallCounts) => number): Meter['read'] {
  return ({ counts }) => counts.map(([name, of]) => ({ labels: { name }, value: pick(of) }));
}

/** A series for each name and each kind of what happened under it; a kind that never happened has none. */
export function talliesOf(
  label: string,
  pick: (counts: CallCounts) => Readonly<Partial<Record<string, number>>>,
): Meter['read'] {
  return ({ counts }) => {
    const samples: Sample[] = [];
    for (const [name, of] of counts)
      for (const [kind, value = 0] of Object.entries(pick(of)))
        if (value > 0) samples.push({ labels: { name, [label]: snakeCase(kind) }, value });
    return samples;
  };
}
