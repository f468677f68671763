import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { ETCD_DEFAULTS } from '../../lib/cluster/etcd/etcd.options.js';
import { REDIS_DEFAULTS } from '../../lib/cluster/redis/redis.options.js';
import { DRAIN_DEFAULTS } from '../../lib/module/shutdown/drain.options.js';
import { DASHBOARD_DEFAULTS } from '../../lib/observability/dashboard/dashboard.options.js';
import { DEFAULT_PATH } from '../../lib/observability/metrics/metrics.options.js';
import { ADAPTIVE_THROTTLE_DEFAULTS } from '../../lib/policies/adaptive-throttle/adaptive-throttle.options.js';
import { adaptive } from '../../lib/kernel/adaptive-limit/adaptive.options.js';
import { exponential } from '../../lib/kernel/backoff/exponential.js';
import { BULKHEAD_DEFAULTS, DEFAULT_BULKHEAD_KEYS } from '../../lib/policies/bulkhead/bulkhead.options.js';
import { CIRCUIT_BREAKER_DEFAULTS } from '../../lib/policies/circuit-breaker/circuit-breaker.options.js';
import { failureRate } from '../../lib/policies/circuit-breaker/trip/failure-rate.js';
import { COALESCE_DEFAULTS } from '../../lib/policies/coalesce/coalesce.options.js';
import { HEDGE_DEFAULTS } from '../../lib/policies/hedge/hedge.options.js';
import { RATE_LIMIT_DEFAULTS } from '../../lib/policies/rate-limit/rate-limit.options.js';
import { RETRY_DEFAULTS } from '../../lib/policies/retry/retry.options.js';
import { parseSystemProtection } from '../../lib/policies/system-protection/system-protection.options.js';
import { ROOT } from './source-files.js';

interface Documented {
  /** The page, and the number of its table of options. */
  readonly page: string;
  readonly table?: number;
  /** Where the options are declared. */
  readonly source: string;
  readonly declared: readonly string[];
  /** Options of the page that these interfaces have from others. */
  readonly inherited?: readonly string[];
  /** What the code takes where an option is left out; the others have no default. */
  readonly defaults: Readonly<Record<string, unknown>>;
  /** Defaults that are no value of the option but follow from elsewhere, in the words of the page. */
  readonly derived?: Readonly<Record<string, string>>;
}

const { concurrency, eventLoopDelay, rate, exemptPaths, retryAfter } = parseSystemProtection('x', true)!;
const BREAKER: Omit<Documented, 'page'> = {
  source: 'lib/policies/circuit-breaker/circuit-breaker.options.ts',
  declared: ['CircuitBreakerOptions'],
  defaults: { ...CIRCUIT_BREAKER_DEFAULTS, scope: 'class' },
  derived: { group: 'the name' },
};
const RETRY: Omit<Documented, 'page'> = {
  source: 'lib/policies/retry/retry.options.ts',
  declared: ['RetryOptions'],
  defaults: RETRY_DEFAULTS,
  derived: { retryOn: 'every failure but HTTP 501 and 505 and gRPC UNKNOWN' },
};

const PAGES: readonly Documented[] = [
  { page: 'policies/circuit-breaker', ...BREAKER },
  { page: 'policies/retry', ...RETRY },
  {
    page: 'policies/timeout',
    source: 'lib/policies/timeout/timeout.options.ts',
    declared: ['TimeoutOptions'],
    defaults: {},
  },
  {
    page: 'policies/fallback',
    source: 'lib/policies/fallback/fallback.options.ts',
    declared: ['FallbackRules', 'FallbackUse', 'FallbackValue', 'FallbackLastGood'],
    defaults: {},
    derived: {
      use: 'required, or `value`',
      value: 'required, or `use`',
      lastGood: 'required, or `use`',
      on: 'every failure and refusal',
    },
  },
  {
    page: 'policies/recover',
    source: 'lib/policies/recover/recover.options.ts',
    declared: ['RecoverOptions'],
    defaults: { value: undefined, log: true },
    derived: { use: 'none: the answer is `value`', on: 'all; on an HTTP handler all but HttpExceptions below 500' },
  },
  {
    page: 'policies/rate-limit',
    source: 'lib/policies/rate-limit/rate-limit.options.ts',
    declared: ['RateLimitOptions'],
    defaults: { ...RATE_LIMIT_DEFAULTS, scope: 'class' },
    derived: { limit: 'required', per: 'required', burst: '`limit`', cost: '1', onStoreError: 'that of the module' },
  },
  {
    page: 'policies/adaptive-throttle',
    source: 'lib/policies/adaptive-throttle/adaptive-throttle.options.ts',
    declared: ['AdaptiveThrottleOptions'],
    defaults: { ...ADAPTIVE_THROTTLE_DEFAULTS, scope: 'class' },
  },
  {
    page: 'policies/bulkhead',
    source: 'lib/policies/bulkhead/bulkhead.options.ts',
    declared: ['BulkheadOptions'],
    defaults: { ...BULKHEAD_DEFAULTS, maxKeys: DEFAULT_BULKHEAD_KEYS, scope: 'class' },
  },
  {
    page: 'policies/bulkhead',
    table: 1,
    source: 'lib/kernel/adaptive-limit/adaptive.options.ts',
    declared: ['AdaptiveOptions'],
    defaults: adaptive().options,
  },
  {
    page: 'policies/hedge',
    source: 'lib/policies/hedge/hedge.options.ts',
    declared: ['HedgeOptions'],
    defaults: HEDGE_DEFAULTS,
    derived: { after: 'required' },
  },
  {
    page: 'policies/coalesce',
    source: 'lib/policies/coalesce/coalesce.options.ts',
    declared: ['CoalesceOptions'],
    defaults: COALESCE_DEFAULTS,
    derived: { key: 'required' },
  },
  {
    page: 'policies/system-protection',
    source: 'lib/policies/system-protection/system-protection.options.ts',
    declared: ['SystemProtectionOptions'],
    defaults: { concurrency, eventLoopDelay, rate, exempt: exemptPaths, retryAfter },
  },
  { page: 'breakers-and-retries', ...BREAKER },
  { page: 'breakers-and-retries', table: 1, ...RETRY },
  {
    page: 'configuration',
    source: 'lib/module/resilience.module-definition.ts',
    declared: ['ResilienceModuleOptions', 'ResilienceModuleExtras'],
    inherited: ['deadlines', 'abortOnDisconnect', 'staleHeaders'],
    defaults: {
      ...{ enabled: true, callContext: false, abortOnDisconnect: false, systemProtection: false },
      ...{ shutdown: DRAIN_DEFAULTS, exceptionFilter: false, log: 'changes' },
    },
    derived: {
      deadlines: 'none is accepted',
      staleHeaders: 'handlers that have lastGood',
      startUp: 'whole at once',
      lint: 'all',
    },
  },
  {
    page: 'metrics',
    source: 'lib/observability/metrics/metrics.options.ts',
    declared: ['MetricsModuleOptions', 'MetricsModuleExtras'],
    defaults: { defaultMetrics: false },
    derived: {
      registry: "one of the module's own",
      path: `${written(DEFAULT_PATH)}; false where a registry is given`,
      buckets: '5 ms to 10 s, as MicroProfile Fault Tolerance has them',
    },
  },
  {
    page: 'dashboard',
    source: 'lib/observability/dashboard/dashboard.options.ts',
    declared: ['DashboardModuleOptions', 'DashboardModuleExtras'],
    defaults: DASHBOARD_DEFAULTS,
    derived: { guards: 'open, but see below', actionGuards: 'nobody' },
  },
  {
    page: 'tracing',
    source: 'lib/observability/otel/otel.options.ts',
    declared: ['TelemetryModuleOptions'],
    defaults: { spans: 'attempts' },
  },
  {
    page: 'cluster',
    source: 'lib/cluster/etcd/etcd.options.ts',
    declared: ['ResilienceEtcdOptions'],
    defaults: ETCD_DEFAULTS,
    derived: { discovery: 'it is not registered', cacheDir: 'memory alone' },
  },
  {
    page: 'cluster-rate-limits',
    source: 'lib/cluster/redis/redis.options.ts',
    declared: ['RedisModuleOptions'],
    defaults: REDIS_DEFAULTS,
    derived: { url: 'required, or client', client: 'required, or url' },
  },
  {
    page: 'testing',
    source: 'lib/testing/fault.options.ts',
    declared: ['FaultOptions'],
    defaults: { latency: 0, hang: false, rate: 1, seed: 1 },
    derived: { target: 'required', when: 'all' },
  },
];

/** What code that makes the value of a default looks like. */
const WRITTEN: readonly (readonly [string, unknown])[] = [
  ['failureRate()', failureRate()],
  ["exponential({ initial: 100, factor: 2, max: 10_000, jitter: 'full' })", exponential()],
  ['adaptive({ tolerance: 1.25 })', adaptive({ tolerance: 1.25 })],
];

/** A value as somebody would write it: `10_000`, `'class'`, `exponential({ ... })`. */
function written(value: unknown): string {
  if (typeof value === 'number') return value.toLocaleString('en-US').replaceAll(',', '_');
  if (typeof value === 'string') return `'${value}'`;
  if (Array.isArray(value)) return `[${value.map(written).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  const made = WRITTEN.find(([, one]) => JSON.stringify(one) === JSON.stringify(value));
  if (made !== undefined) return made[0];
  if ('kind' in value || 'name' in value) throw new Error(`nobody says how to write ${JSON.stringify(value)}`);
  return `{ ${Object.entries(value)
    .map(([key, one]) => `${key}: ${written(one)}`)
    .join(', ')} }`;
}

/** The rows of the tables of a page that begin with a column `option`: the option, and its default as it stands there. */
function tablesOf(page: string): Map<string, string>[] {
  const text = readFileSync(join(ROOT, `docs/${page}.md`), 'utf8');
  return [...text.matchAll(/^\| option +\|.*\n\|[ -|]+\n((?:\|.*\n)+)/gm)].map(([table, rows = '']) => {
    const titles = cells(table.split('\n', 1)[0] ?? '');
    const column = titles.indexOf('default');
    return new Map(
      rows
        .trim()
        .split('\n')
        .map(cells)
        .flatMap((row) =>
          (row[0] ?? '').split(', ').map((name, index) => ({ name, value: defaultAt(row, column, index) })),
        )
        .map(({ name, value }): [string, string] => [name.replaceAll('`', ''), value]),
    );
  });
}

/** Two options in one row, as `key`, `maxKeys`, have their defaults in that order. */
function defaultAt(row: readonly string[], column: number, index: number): string {
  const cell = row[column] ?? '';
  return (row[0] ?? '').includes(', ') ? (cell.split(', ')[index] ?? '') : cell;
}

const cells = (row: string): string[] =>
  row
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim());

/** The options of an interface, as its source declares them. */
function declaredIn(source: string, interfaces: readonly string[]): string[] {
  const file = ts.createSourceFile(source, readFileSync(join(ROOT, source), 'utf8'), ts.ScriptTarget.Latest, true);
  const found = file.statements.filter(ts.isInterfaceDeclaration).filter(({ name }) => interfaces.includes(name.text));
  if (found.length !== interfaces.length) throw new Error(`${source} declares no ${interfaces.join(', ')}`);
  const members = found.flatMap(({ members }) => members);
  const offered = members.filter((member) => !ts.getJSDocTags(member).some((tag) => tag.tagName.text === 'internal'));
  return offered.map(({ name }) => (name as ts.Identifier).text);
}

describe.each(PAGES.map((one) => ({ table: 0, ...one })))(
  'the options of $page, table $table',
  ({ page, table, source, declared, inherited = [], defaults, derived = {} }) => {
    const names = [...declaredIn(source, declared), ...inherited];
    const rows = tablesOf(page)[table] ?? new Map<string, string>();
    const plain = (cell: string | undefined): string => (cell ?? '').replaceAll('`', '');

    it('names every option that the code has, and no other', () => {
      expect([...rows.keys()].sort()).toEqual([...names].sort());
    });

    it("says the code's defaults", () => {
      const expected = names.map((name): [string, string] => {
        const value = name in derived ? derived[name] : name in defaults ? written(defaults[name]) : 'none';
        return [name, plain(value)];
      });

      expect(Object.fromEntries([...rows].map(([name, cell]) => [name, plain(cell)]))).toEqual(
        Object.fromEntries(expected),
      );
    });
  },
);
