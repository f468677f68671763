import type { Histogram, Meter as OtelMeter } from '@opentelemetry/api';
import type {
  AttemptEnded,
  CallEnded,
  CallListener,
  CallObserver,
  ObservedCall,
  WaitEnded,
} from '../../events/call-listener.js';
import type { ReadModel } from '../../read-model/read-model.js';
import { ATTEMPT_DURATION, CALL_DURATION, WAIT_DURATION } from '../meters/duration-meters.js';
import type { DurationMeter } from '../meters/meter.js';
import { snakeCase } from '../meters/snake-case.js';

const SECOND_MS = 1_000;

interface Histograms {
  readonly calls: Histogram;
  readonly attempts: Histogram;
  readonly waits: Histogram;
}

/** Records how long calls, attempts and waits took: histograms cannot be read later from what was counted. */
export class DurationRecorder implements CallListener {
  readonly #histograms: Histograms;
  readonly #model: ReadModel;

  constructor(meter: OtelMeter, model: ReadModel) {
    this.#model = model;
    this.#histograms = {
      calls: histogramOf(meter, CALL_DURATION, model),
      attempts: histogramOf(meter, ATTEMPT_DURATION, model),
      waits: histogramOf(meter, WAIT_DURATION, model),
    };
  }

  begun({ name }: ObservedCall): CallObserver {
    return new RecordedCall(this.#model.nameFor(name), this.#histograms, this.#model);
  }
}

class RecordedCall implements CallObserver {
  constructor(
    private readonly name: string,
    private readonly histograms: Histograms,
    private readonly model: ReadModel,
  ) {}

  attemptEnded({ outcome, durationMs }: AttemptEnded): void {
    if (durationMs !== undefined && (outcome === 'success' || outcome === 'failure'))
      this.histograms.attempts.record(durationMs / SECOND_MS, { name: this.name, outcome });
  }

  waited({ name, policy, waitedMs }: WaitEnded): void {
    this.histograms.waits.record(waitedMs / SECOND_MS, { name: this.model.nameFor(name), policy: snakeCase(policy) });
  }

  ended({ outcome, durationMs }: CallEnded): void {
    if (outcome === 'success' || outcome === 'failure')
      this.histograms.calls.record(durationMs / SECOND_MS, { name: this.name, outcome });
  }
}

/** With the boundaries that the same series have for Prometheus. */
function histogramOf(meter: OtelMeter, { name, help, unit, bucketed }: DurationMeter, model: ReadModel): Histogram {
  const explicitBucketBoundaries = bucketed ? [...model.buckets] : [];
  return meter.createHistogram(name, { description: help, unit, advice: { explicitBucketBoundaries } });
}
