import { PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { ResilienceMetricsModule } from 'nestjs-bulwark/metrics';
import { ResilienceTelemetryModule } from 'nestjs-bulwark/otel';
import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { parseExposition, type Exposition } from '../../support/exposition.js';
import { startEventful } from '../support/eventful-app.js';
import { startSdk } from '../support/telemetry.js';

/** Levels that move with time: between two scrapes they are not the same. */
const MOVING = /^bulwark_(?:rate_limit_available|retry_budget_tokens|event_loop_delay_seconds)/;

/** Sums of durations are added up in another order, and rounded so. */
function still({ values }: Exposition): Map<string, number> {
  return new Map(
    [...values]
      .filter(([series]) => !MOVING.test(series))
      .map(([series, value]): [string, number] => [series, Number(value.toPrecision(12))])
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

async function scrapes(buckets?: readonly number[]) {
  const { exporter } = startSdk();
  const registry = new Registry();
  await startEventful([
    ResilienceTelemetryModule.forRoot({ spans: false }),
    ResilienceMetricsModule.forRoot({ registry, ...(buckets && { buckets }) }),
  ]);
  const { resourceMetrics, errors } = await exporter.collect();
  expect(errors).toEqual([]);
  const otel = new PrometheusSerializer().serialize(resourceMetrics).replace(/^(?:# \w+ )?target_info.*\n/gm, '');
  return {
    otel: parseExposition(otel, /^otel_scope_/),
    prometheus: parseExposition(await registry.metrics()),
    resourceMetrics,
  };
}

describe('the meters of OpenTelemetry', () => {
  it.each([
    ['the usual buckets', undefined],
    ['buckets of the options', [0.001, 60]],
  ])('give the scrape that prom-client gives, but for the scope: with %s', async (_which, buckets) => {
    const { otel, prometheus } = await scrapes(buckets);

    expect([...still(otel)]).toEqual([...still(prometheus)]);
    expect([...otel.values.keys()].sort()).toEqual([...prometheus.values.keys()].sort());
    for (const [name, type] of otel.types) expect([name, type]).toEqual([name, prometheus.types.get(name)]);
    for (const [name, help] of otel.helps) expect([name, help]).toEqual([name, prometheus.helps.get(name)]);
  });

  it('have the names and the units of OpenTelemetry', async () => {
    const { resourceMetrics } = await scrapes();

    const descriptors = resourceMetrics.scopeMetrics.flatMap(({ metrics }) =>
      metrics.map(({ descriptor }) => descriptor),
    );
    const unitOf = (name: string) => descriptors.find((one) => one.name === name)?.unit;
    expect(unitOf('bulwark.calls')).toBe('{call}');
    expect(unitOf('bulwark.circuit_breaker.failure_ratio')).toBe('1');
    const durations = descriptors.filter(({ unit }) => unit === 's').map(({ name }) => name);
    expect(durations.sort()).toEqual([
      'bulwark.attempt.duration.seconds',
      'bulwark.call.duration.seconds',
      'bulwark.event_loop.delay.seconds',
      'bulwark.wait.duration.seconds',
    ]);
    for (const { name } of descriptors) expect(name).toMatch(/^bulwark(?:\.[a-z_]+)+$/);
    for (const { scope } of resourceMetrics.scopeMetrics)
      expect(scope).toMatchObject({ name: 'nestjs-bulwark', version: '0.1.0' });
  });
});
