import type { Meter as OtelMeter, Observable } from '@opentelemetry/api';
import type { ReadModel } from '../../read-model/read-model.js';
import type { Meter } from '../meters/meter.js';
import { METERS } from '../meters/meters.js';
import { readingOf } from '../meters/reading.js';

/** Lets a meter read everything whenever it collects. @returns a function that ends it. */
export function observeMeters(otel: OtelMeter, model: ReadModel): () => void {
  const instruments = METERS.map((meter) => [meter, instrumentOf(otel, meter)] as const);
  const observables = instruments.map(([, instrument]) => instrument);
  const observe: Parameters<OtelMeter['addBatchObservableCallback']>[0] = (result) => {
    const reading = readingOf(model);
    for (const [meter, instrument] of instruments)
      for (const { labels, value } of meter.read(reading)) result.observe(instrument, value, labels);
  };
  otel.addBatchObservableCallback(observe, observables);
  return () => otel.removeBatchObservableCallback(observe, observables);
}

/** What adds up over processes is a sum, up or down, and all else a gauge. */
function instrumentOf(otel: OtelMeter, { name, help: description, unit, kind, across }: Meter): Observable {
  if (kind === 'counter') return otel.createObservableCounter(name, { description, unit });
  return across === 'sum'
    ? otel.createObservableUpDownCounter(name, { description, unit })
    : otel.createObservableGauge(name, { description, unit });
}
