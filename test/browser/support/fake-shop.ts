import type {
  BreakerState,
  DashboardState,
  HistoryPoint,
  InstanceDetail,
  InstanceRow,
  Sample,
  TimelineEntry,
} from '../../../lib/observability/dashboard/protocol.js';
import { seededRandom } from '../../support/seeded-random.js';

const NAMES = [
  'payments',
  'StockClient.reserve',
  'shipping',
  'MailService.send',
  'CatalogService.find',
  'tax',
  'fraud',
];
const STATES: readonly (BreakerState | null)[] = [
  'open',
  'closed',
  'halfOpen',
  null,
  'closed',
  'disabled',
  'forcedOpen',
];

/** A shop of as many instances as a test wants, some of them in trouble; the same each time. */
export class FakeShop {
  readonly rows: InstanceRow[];
  readonly process = {
    id: 'p-1',
    host: 'shop-7d9f6c5b4-x2x8q',
    pid: 4711,
    version: '0.1.0',
    startedAt: Date.now() - 3_600_000,
  };
  canAct = true;
  fleet = true;
  draining = false;
  timeline: TimelineEntry[];
  readonly states = new Map<string, BreakerState | null>();
  readonly #random = seededRandom(5);

  constructor(size: number, names: readonly string[] = NAMES) {
    this.rows = Array.from({ length: size }, (_, index) => {
      const name = index < names.length ? (names[index] as string) : `${names[index % names.length]}#${index}`;
      const state = index < 7 ? (STATES[index] ?? null) : index % 29 === 0 ? 'open' : index % 5 === 0 ? null : 'closed';
      this.states.set(name, state);
      const breaker = state === null ? [] : (['circuitBreaker'] as const);
      return {
        name,
        guards: [`${name}Service.call`, `${name}Service.list`],
        policies: ['timeout', 'retry', ...breaker],
      };
    });
    this.timeline = this.rows.slice(0, 40).map(({ name }, index) => ({
      id: 1_000 - index,
      at: Date.now() - index * 7_000,
      type: 'stateChange',
      name,
      policy: index % 3 === 1 ? 'retry' : 'circuitBreaker',
      text:
        index % 3 === 1
          ? 'gave up after 3 attempts: the retry budget is used up'
          : 'opened: 12 of 20 calls of the last 10 s failed (60 %), the threshold is 50 %',
      level: index % 3 === 2 ? 'info' : 'warn',
      repeats: index % 4 === 0 ? index : 0,
    }));
  }

  state(): DashboardState {
    return {
      process: this.process,
      now: Date.now(),
      canAct: this.canAct,
      fleet: this.fleet,
      draining: this.draining,
      instances: this.rows,
      samples: this.samples(),
      timeline: this.timeline,
      ingress: { active: 18, limit: 200, loopDelayMs: 3, shed: 0 },
    };
  }

  samples(): Sample[] {
    return this.rows.map(({ name }, index): Sample => {
      const state = this.states.get(name) ?? null;
      const calls = Math.round((1_000 / (index + 2)) * (0.8 + this.#random() * 0.4));
      const shut = state === 'open' || state === 'forcedOpen';
      const failures = index === 1 ? Math.round(calls * 0.1) : 0;
      const base = 4 + (index % 13) * 3;
      const ms = (factor: number) => (shut ? null : Math.round(base * factor * (0.9 + this.#random() * 0.2) * 10) / 10);
      return [
        index,
        state,
        calls,
        failures,
        shut ? Math.round(calls * 0.7) : 0,
        shut ? calls - Math.round(calls * 0.7) : 0,
        ms(1),
        ms(3.4),
        ms(9),
        shut ? 0 : Math.round(calls / 20),
        index === 3 ? 12 : 0,
        state === null ? null : shut ? 0.6 : failures / Math.max(1, calls),
        0,
      ];
    });
  }

  detail(name: string): InstanceDetail | undefined {
    const row = this.rows.find((one) => one.name === name);
    if (row === undefined) return undefined;
    const state = this.states.get(name) ?? null;
    const now = Date.now();
    return {
      row,
      now,
      plans: row.guards.map((guard) => ({
        guard,
        steps: [
          { policy: 'timeout', name, options: [{ option: 'perAttempt', value: '2 s', source: '@Timeout' }] },
          {
            policy: 'retry',
            name,
            options: [
              { option: 'maxAttempts', value: '3', source: 'set "payments" of forRoot' },
              { option: 'backoff', value: 'exponential 100 ms to 2 s, full jitter', source: 'default' },
            ],
          },
          {
            policy: 'circuitBreaker',
            name,
            options: [
              { option: 'failureThreshold', value: '40 %', source: 'rule policies.payments, revision 7' },
              { option: 'window', value: '10 s', source: 'default' },
            ],
          },
        ],
      })),
      rules: {
        revision: '7',
        by: 'ops@example.com',
        lines: [{ path: 'policies.payments.circuitBreaker.failureThreshold', value: '40 %', before: '50 %' }],
      },
      breaker:
        state === null
          ? null
          : {
              state,
              reason: state === 'open' ? '12 of 20 calls of the last 10 s failed (60 %), the threshold is 40 %' : '',
              probesAt: state === 'open' ? now + 12_000 : null,
              calls: 20,
              failureRatio: state === 'open' ? 0.6 : 0.1,
              thresholdRatio: 0.4,
              metricsOnly: false,
              keys: [
                { key: 'tenant-17', state: 'open' },
                { key: 'tenant-4', state: 'closed' },
              ],
            },
      bulkhead: { active: 7, waiting: 2, limit: 10, keys: null },
      rateLimit: { available: 31, waiting: 0, limit: 100, per: 1_000 },
      budget: { tokens: 8 },
      history: historyUntil(now),
      lastErrors: this.canAct ? [{ at: now - 3_000, text: 'Error: connect ECONNREFUSED 10.0.3.7:443' }] : null,
    };
  }
}

/** Five minutes: all well, then an outage that a breaker cut short. */
function historyUntil(now: number): HistoryPoint[] {
  const random = seededRandom(11);
  return Array.from({ length: 60 }, (_, index): HistoryPoint => {
    const at = now - (59 - index) * 5_000;
    const calls = Math.round(2_500 * (0.9 + random() * 0.2));
    const failing = index > 34 && index < 42;
    const shut = index >= 42;
    const failure = failing ? Math.round(calls * 0.6) : 0;
    const refused = shut ? Math.round(calls * 0.7) : 0;
    const ms = (value: number) => (shut ? null : Math.round(value * (failing ? 4 : 1) * (0.9 + random() * 0.2)));
    return [at, shut ? 0 : calls - failure, failure, refused, shut ? calls - refused : 0, ms(12), ms(45), ms(130)];
  });
}
