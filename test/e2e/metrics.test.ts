import { Injectable } from '@nestjs/common';
import { Bulkhead, ResilienceModule, ResilienceService } from 'nestjs-bulwark';
import { ResilienceMetricsModule, type MetricsModuleOptions } from 'nestjs-bulwark/metrics';
import { AggregatorRegistry, Registry, type PrometheusContentType } from 'prom-client';
import { describe, expect, it } from 'vitest';
import type { ScrapedMetric } from '../../lib/observability/metrics/scraped-metric.js';
import { textOf } from '../../lib/observability/metrics/text-format.js';
import { MAX_LOOSE_NAMES } from '../../lib/read-model/call-register.js';
import { parseExposition, seriesOf, type Exposition } from '../support/exposition.js';
import { startEventful } from './support/eventful-app.js';
import { initialise, startUpError } from './support/harness.js';

/** Every metric there is, with its type and its labels. */
const CONTRACT: Readonly<Record<string, readonly [type: string, ...labels: string[]]>> = {
  bulwark_calls_total: ['counter', 'name', 'outcome'],
  bulwark_call_duration_seconds: ['histogram', 'name', 'outcome'],
  bulwark_attempt_duration_seconds: ['histogram', 'name', 'outcome'],
  bulwark_wait_duration_seconds: ['histogram', 'name', 'policy'],
  bulwark_refusals_total: ['counter', 'name', 'policy'],
  bulwark_shadow_refusals_total: ['counter', 'name', 'policy'],
  bulwark_retries_total: ['counter', 'name'],
  bulwark_retried_calls_total: ['counter', 'name', 'result'],
  bulwark_retries_suppressed_total: ['counter', 'name', 'reason'],
  bulwark_hedges_total: ['counter', 'name'],
  bulwark_timeouts_total: ['counter', 'name', 'scope'],
  bulwark_fallbacks_total: ['counter', 'name', 'reason'],
  bulwark_circuit_breaker_state: ['gauge', 'name', 'state'],
  bulwark_circuit_breaker_transitions_total: ['counter', 'name', 'to'],
  bulwark_circuit_breaker_failure_ratio: ['gauge', 'name'],
  bulwark_circuit_breaker_slow_call_ratio: ['gauge', 'name'],
  bulwark_circuit_breaker_threshold_ratio: ['gauge', 'name'],
  bulwark_circuit_breaker_keys: ['gauge', 'name', 'state'],
  bulwark_bulkhead_active: ['gauge', 'name'],
  bulwark_bulkhead_waiting: ['gauge', 'name'],
  bulwark_bulkhead_limit: ['gauge', 'name'],
  bulwark_bulkhead_abandoned: ['gauge', 'name'],
  bulwark_rate_limit_available: ['gauge', 'name'],
  bulwark_rate_limit_waiting: ['gauge', 'name'],
  bulwark_retry_budget_tokens: ['gauge', 'name'],
  bulwark_shed_total: ['counter', 'reason'],
  bulwark_requests_active: ['gauge'],
  bulwark_requests_limit: ['gauge'],
  bulwark_event_loop_delay_seconds: ['gauge'],
  bulwark_build_info: ['gauge', 'version'],
  bulwark_store_up: ['gauge', 'store'],
  bulwark_store_errors_total: ['counter', 'store'],
  bulwark_rules_revision: ['gauge'],
  bulwark_rules_rejected_total: ['counter'],
  bulwark_leader: ['gauge', 'name'],
};

async function scrape(registry: Registry): Promise<Exposition> {
  return parseExposition(await registry.metrics());
}

async function eventful(): Promise<Exposition> {
  const registry = new Registry();
  await startEventful([ResilienceMetricsModule.forRoot({ registry })]);
  return scrape(registry);
}

/** An app without policies of its own, and its registry. */
async function plain(options: Omit<MetricsModuleOptions, 'registry'> = {}, registry = new Registry()) {
  const { module } = await initialise({
    imports: [ResilienceModule.forRoot({ log: false }), ResilienceMetricsModule.forRoot({ registry, ...options })],
  });
  return { registry, module, service: module.get(ResilienceService) };
}

describe('the metrics of an app', () => {
  it('are those of the contract, by name, type and labels', async () => {
    const { types, labels } = await eventful();

    const found = Object.fromEntries(
      [...types].map(([name, type]) => {
        const series = type === 'histogram' ? `${name}_sum` : name;
        return [name, [type, ...[...(labels.get(series) ?? [])].sort()]];
      }),
    );
    expect(found).toEqual(CONTRACT);
  });

  it('say what has happened, with the values of labels in snake case', async () => {
    const all = await eventful();
    const happened = (name: string) =>
      Object.fromEntries(Object.entries(seriesOf(all, name)).filter(([, value]) => value > 0));

    expect(happened('bulwark_calls_total')).toEqual({
      'name=payments,outcome=success': 1,
      'name=payments,outcome=client_error': 1,
      'name=payments,outcome=failure': 3,
      'name=payments,outcome=refused': 1,
      'name=search,outcome=success': 1,
      'name=search,outcome=failure': 1,
      'name=tenants,outcome=success': 1,
      'name=tenants,outcome=failure': 1,
      'name=pool,outcome=success': 2,
      'name=pool,outcome=refused': 1,
      'name=rate,outcome=success': 1,
      'name=rate,outcome=refused': 1,
      'name=shadow,outcome=success': 2,
      'name=Shop.covered,outcome=fallback': 2,
      'name=Shop.hurried,outcome=failure': 1,
      'name=Shop.caught,outcome=recovered': 1,
      'name=Shop.hedged,outcome=success': 1,
      'name=inline,outcome=success': 1,
    });
    expect(happened('bulwark_refusals_total')).toEqual({
      'name=payments,policy=circuit_breaker': 1,
      'name=pool,policy=bulkhead': 1,
      'name=rate,policy=rate_limit': 1,
    });
    expect(happened('bulwark_shadow_refusals_total')).toEqual({ 'name=shadow,policy=rate_limit': 1 });
    expect(happened('bulwark_retries_total')).toEqual({ 'name=search': 2 });
    expect(happened('bulwark_retried_calls_total')).toEqual({
      'name=search,result=success': 1,
      'name=search,result=failure': 1,
    });
    expect(happened('bulwark_retries_suppressed_total')).toEqual({ 'name=search,reason=max_attempts': 1 });
    expect(happened('bulwark_hedges_total')).toEqual({ 'name=Shop.hedged': 1 });
    expect(happened('bulwark_timeouts_total')).toEqual({
      'name=Shop.covered,scope=per_attempt': 1,
      'name=Shop.hurried,scope=total': 1,
    });
    expect(happened('bulwark_fallbacks_total')).toEqual({
      'name=Shop.covered,reason=failure': 1,
      'name=Shop.covered,reason=timeout': 1,
    });
    expect(happened('bulwark_circuit_breaker_transitions_total')).toEqual({
      'name=payments,to=open': 1,
      'name=tenants,to=open': 1,
    });
    expect(happened('bulwark_circuit_breaker_state')).toEqual({
      'name=payments,state=open': 1,
      'name=search,state=closed': 1,
      'name=tenants,state=closed': 1,
    });
    expect(Object.keys(seriesOf(all, 'bulwark_circuit_breaker_state')).filter((one) => one.includes('search'))).toEqual(
      ['closed', 'open', 'half_open', 'forced_open', 'disabled'].map((state) => `name=search,state=${state}`),
    );
    expect(happened('bulwark_circuit_breaker_keys')).toEqual({
      'name=tenants,state=closed': 1,
      'name=tenants,state=open': 1,
    });
    expect(happened('bulwark_wait_duration_seconds_count')).toEqual({ 'name=pool,policy=bulkhead': 1 });
    expect(happened('bulwark_call_duration_seconds_count')).toMatchObject({
      'name=payments,outcome=failure': 3,
      'name=payments,outcome=success': 1,
    });
    expect(seriesOf(all, 'bulwark_store_up')).toEqual({ 'store=etcd': 1, 'store=redis': 0 });
  });

  it('have cumulative buckets, by default those of MicroProfile', async () => {
    const { registry, service } = await plain();
    await service.execute({ name: 'one', timeout: 1_000 }, () => 1);

    const buckets = seriesOf(await scrape(registry), 'bulwark_call_duration_seconds_bucket');
    const values = Object.values(buckets);

    expect(values).toHaveLength(15);
    expect(values).toEqual([...values].sort((a, b) => a - b));
    expect(buckets['le=+Inf,name=one,outcome=success']).toBe(1);
    expect(Object.keys(buckets)[0]).toBe('le=0.005,name=one,outcome=success');
  });

  it('have the buckets that the options say', async () => {
    const { registry, service } = await plain({ buckets: [30, 60] });
    await service.execute({ name: 'one', timeout: 1_000 }, () => 1);

    expect(seriesOf(await scrape(registry), 'bulwark_attempt_duration_seconds_bucket')).toEqual({
      'le=30,name=one,outcome=success': 1,
      'le=60,name=one,outcome=success': 1,
      'le=+Inf,name=one,outcome=success': 1,
    });
  });

  it('have only so many names of inline sets, states included', async () => {
    const { registry, service } = await plain();
    for (let i = 0; i < MAX_LOOSE_NAMES + 5; i++)
      await service.execute({ name: `set-${i}`, circuitBreaker: {}, bulkhead: 5 }, () => i);

    const all = await scrape(registry);

    expect(seriesOf(all, 'bulwark_calls_total')['name=other,outcome=success']).toBe(5);
    expect(Object.keys(seriesOf(all, 'bulwark_bulkhead_limit'))).toHaveLength(MAX_LOOSE_NAMES);
    expect(Object.keys(seriesOf(all, 'bulwark_circuit_breaker_state'))).toHaveLength(5 * MAX_LOOSE_NAMES);
  });

  it('go with their instance', async () => {
    const { registry, service } = await plain();
    const names = (all: Exposition) => [...all.values.keys()].filter((series) => series.includes('"set-0"'));
    await service.execute({ name: 'set-0', circuitBreaker: {} }, () => 1);
    expect(names(await scrape(registry)).length).toBeGreaterThan(10);

    // So many names that the first is forgotten.
    for (let i = 1; i <= 1_001; i++) await service.execute({ name: `set-${i}`, circuitBreaker: {} }, () => i);

    expect(names(await scrape(registry))).toEqual([]);
  });

  it('are written as OpenMetrics has it into a registry for that', async () => {
    const registry = new Registry();
    registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as unknown as PrometheusContentType);
    const { service } = await plain({}, registry);
    await service.execute({ name: 'one', timeout: 1_000 }, () => 1);

    for (let scrapes = 0; scrapes < 2; scrapes++) {
      const text = await registry.metrics();

      expect(text).toContain('# TYPE bulwark_calls counter\n');
      expect(text).toContain('\nbulwark_calls_total{name="one",outcome="success"} 1\n');
      expect(text.endsWith('# EOF\n')).toBe(true);
    }
  });

  it('are shown by one process for all of a host', async () => {
    const { registry, service } = await plain();
    await service.execute({ name: 'one', timeout: 1_000 }, () => 1);
    const worker = await registry.getMetricsAsJSON();

    const all = parseExposition(await AggregatorRegistry.aggregate([worker, structuredClone(worker)]).metrics());

    expect(seriesOf(all, 'bulwark_calls_total')['name=one,outcome=success']).toBe(2);
    expect(seriesOf(all, 'bulwark_call_duration_seconds_bucket')['le=+Inf,name=one,outcome=success']).toBe(2);
    expect(seriesOf(all, 'bulwark_build_info')).toEqual({ 'version=0.1.0': 1 });
  });

  it('keep what was counted when the registry is reset', async () => {
    const { registry, service } = await plain();
    await service.execute({ name: 'one', timeout: 1_000 }, () => 1);
    registry.resetMetrics();

    expect(seriesOf(await scrape(registry), 'bulwark_calls_total')['name=one,outcome=success']).toBe(1);
  });

  it('are written as prom-client writes them, whatever the name', async () => {
    const registry = new Registry();
    const { app } = await startEventful([ResilienceMetricsModule.forRoot({ registry })]);
    await app.get(ResilienceService).execute({ name: 'a "b" \\ c\n<script>', timeout: 1_000 }, () => 1);

    // Asked in one turn, so that all is read once.
    const metrics = registry.getMetricsAsArray() as unknown as ScrapedMetric[];
    const own = metrics.map((metric) => textOf(metric.read()));
    const theirs = await Promise.all(metrics.map(({ name }) => registry.getSingleMetricAsString(name)));

    expect(own.join('')).toContain('{name="a \\"b\\" \\\\ c\\n<script>",outcome="success"} 1\n');
    expect(own).toEqual(theirs.map((text) => `${text}\n`));
  });

  it('are beside those of prom-client itself where the options say so', async () => {
    const { registry } = await plain({ defaultMetrics: true });

    const { types } = await scrape(registry);

    expect(types.has('process_cpu_user_seconds_total')).toBe(true);
    expect(types.has('bulwark_calls_total')).toBe(true);
  });
});

describe('a registry', () => {
  it('is left by an app that closes, for the next one', async () => {
    const registry = new Registry();
    const first = await plain({}, registry);
    await first.service.execute({ name: 'one', timeout: 1_000 }, () => 1);
    await first.module.close();
    expect(registry.getMetricsAsArray()).toEqual([]);

    await plain({}, registry);

    expect(seriesOf(await scrape(registry), 'bulwark_calls_total')).toEqual({});
  });

  it('shows one app, and two in one process have one each', async () => {
    const [one, two] = [await plain(), await plain()];
    await one.service.execute({ name: 'one', timeout: 1_000 }, () => 1);

    expect(seriesOf(await scrape(one.registry), 'bulwark_calls_total')['name=one,outcome=success']).toBe(1);
    expect(seriesOf(await scrape(two.registry), 'bulwark_calls_total')).toEqual({});
  });

  it('cannot be shared by two apps', async () => {
    const { registry } = await plain();
    const error = await startUpError({
      imports: [ResilienceModule.forRoot({ log: false }), ResilienceMetricsModule.forRoot({ registry })],
    });

    expect(error.message).toContain("option 'registry': bulwark_calls_total is registered in it already");
  });
});

@Injectable()
class Pool {
  @Bulkhead('pool', { maxConcurrent: 1 })
  async work(): Promise<string> {
    return 'done';
  }
}

describe('the options of the metrics', () => {
  it('may come later', async () => {
    const registry = new Registry();
    const { module } = await initialise({
      imports: [
        ResilienceModule.forRoot({ log: false }),
        ResilienceMetricsModule.forRootAsync({ useFactory: async () => ({ registry, buckets: [1] }) }),
      ],
      providers: [Pool],
    });
    await module.get(Pool).work();

    expect(seriesOf(await scrape(registry), 'bulwark_call_duration_seconds_bucket')).toEqual({
      'le=1,name=pool,outcome=success': 1,
      'le=+Inf,name=pool,outcome=success': 1,
    });
  });

  it.each<[object, string]>([
    [{ registry: {} }, "option 'registry': expected a Registry of prom-client"],
    [{ buckets: [] }, "option 'buckets': expected from 1 to 100 numbers of seconds above 0, ascending"],
    [{ buckets: [1, 1] }, "option 'buckets': expected from 1 to 100 numbers of seconds above 0, ascending"],
    [{ buckets: [0, 1] }, "option 'buckets': expected from 1 to 100 numbers of seconds above 0, ascending"],
    [{ defaultMetrics: 'yes' }, "option 'defaultMetrics': expected true or false"],
    [{ pth: '/x' }, "unknown option 'pth'"],
  ])('are refused where they are wrong: %j', async (options, message) => {
    const error = await startUpError({
      imports: [ResilienceModule.forRoot({ log: false }), ResilienceMetricsModule.forRoot(options)],
    });

    expect(error.message).toContain('ResilienceMetricsModule.forRoot');
    expect(error.message).toContain(message);
  });

  it.each<[object, string]>([
    [{ path: 'metrics' }, "option 'path': expected a path that begins with '/', or false"],
    [{ guards: [{}] }, "option 'guards': expected a list of guards"],
    [{ guards: class {} }, "option 'guards': expected a list of guards"],
  ])('that make the route are refused at once: %j', (options, message) => {
    expect(() => ResilienceMetricsModule.forRoot(options)).toThrow(message);
  });

  it('that make the route cannot come later', async () => {
    const error = await startUpError({
      imports: [
        ResilienceModule.forRoot({ log: false }),
        ResilienceMetricsModule.forRootAsync({ useFactory: () => ({ path: '/x' }) as MetricsModuleOptions }),
      ],
    });

    expect(error.message).toContain("option 'path': expected nothing here: it stands beside useFactory");
  });

  it('need a ResilienceModule', async () => {
    const error = await startUpError({ imports: [ResilienceMetricsModule.forRoot()] });

    expect(error.message).toContain('there is no ResilienceModule');
  });
});
