import { Inject, Injectable, Optional, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { metrics, trace } from '@opentelemetry/api';
import { packageVersion } from '../../module/runtime/package-version.js';
import { noRuntime } from '../../module/no-runtime.js';
import { Runtime } from '../../module/runtime/runtime.js';
import { RUNTIME } from '../../module/tokens.js';
import { DurationRecorder } from './duration-recorder.js';
import { MODULE_OPTIONS_TOKEN } from './otel.module-definition.js';
import { resolveTelemetryOptions, type TelemetryModuleOptions } from './otel.options.js';
import { observeMeters } from './observed-meters.js';
import { SpanListener } from './span-listener.js';

/** The name under which meters and spans are told. */
const SCOPE = 'nestjs-bulwark';

/** Tells OpenTelemetry of an app, as long as the app runs. */
@Injectable()
export class Telemetry implements OnModuleInit, OnApplicationShutdown {
  readonly #runtime: Runtime;
  readonly #options: Required<TelemetryModuleOptions>;
  readonly #ends: (() => void)[] = [];

  /** @throws ResilienceConfigurationError */
  constructor(@Inject(MODULE_OPTIONS_TOKEN) options: unknown, @Optional() @Inject(RUNTIME) runtime?: unknown) {
    if (!Runtime.is(runtime)) throw noRuntime('ResilienceTelemetryModule', 'whose calls could be told of');
    this.#runtime = runtime;
    this.#options = resolveTelemetryOptions(options);
  }

  /** Not before: the options of the metrics may have set other buckets. */
  onModuleInit(): void {
    const { readModel, events } = this.#runtime;
    const meter = metrics.getMeter(SCOPE, packageVersion());
    this.#ends.push(
      readModel.countCalls(),
      observeMeters(meter, readModel),
      events.watchCalls(new DurationRecorder(meter, readModel)),
    );
    const { spans } = this.#options;
    if (spans === false) return;
    const tracer = trace.getTracer(SCOPE, packageVersion());
    this.#ends.push(events.watchCalls(new SpanListener(tracer, spans === 'attempts')));
  }

  onApplicationShutdown(): void {
    for (const end of this.#ends) end();
  }
}
