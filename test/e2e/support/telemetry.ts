import { context, metrics, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-base';
import { onTestFinished } from 'vitest';

/** The real SDK, as long as a test runs. */
export function startSdk(): { spans: () => ReadableSpan[]; exporter: PrometheusExporter } {
  const memory = new InMemorySpanExporter();
  const exporter = new PrometheusExporter({ preventServerStart: true });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(memory)] }));
  metrics.setGlobalMeterProvider(new MeterProvider({ readers: [exporter] }));
  onTestFinished(() => {
    for (const api of [context, trace, metrics]) api.disable();
  });
  return { spans: () => memory.getFinishedSpans(), exporter };
}

/** As an instrumented HTTP client does it. */
export const request = (name: string): void => trace.getTracer('http').startSpan(name).end();

/** The names of spans as a tree, in the order in which they began: `['call', ['attempt', ['GET']]]`. */
export type Tree = readonly [name: string, ...inside: Tree[]];

export function treesOf(spans: readonly ReadableSpan[]): Tree[] {
  const ids = new Set(spans.map((span) => span.spanContext().spanId));
  const sorted = [...spans].sort((a, b) => a.startTime[0] - b.startTime[0] || a.startTime[1] - b.startTime[1]);
  const tree = (span: ReadableSpan): Tree => [
    span.name,
    ...sorted.filter((one) => one.parentSpanContext?.spanId === span.spanContext().spanId).map(tree),
  ];
  return sorted.filter(({ parentSpanContext: p }) => p === undefined || !ids.has(p.spanId)).map(tree);
}
