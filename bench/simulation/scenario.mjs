/** 1,000 clients and a service that is busy to five eighths; then it loses 60 % of its workers for 10 s. */
export const SCENARIO = {
  seed: 1,
  seconds: 120,
  clients: 1_000,
  /** Of all clients together. */
  callsPerSecond: 500,
  /** The clients', ms: an answer after `total` is of no use. */
  timeout: { perAttempt: 500, total: 2_000 },
  /** 40 workers x 50 ms: 800 a second with an empty queue, 640 with a full one. */
  service: { workers: 40, workMs: 50, backlog: 2_000, slowdown: 0.25 },
  /** Seconds, and what is left of the workers. */
  trigger: { from: 20, to: 30, capacity: 0.4 },
};

const naive = { budget: false };

/** What guards clients and service; `{}` stands for the library's defaults. */
export const CASES = [
  { key: 'single', title: 'no retries', policies: {} },
  { key: 'naive', title: 'retries alone', policies: { retry: naive } },
  { key: 'budget', title: 'retries with a budget', policies: { retry: {} } },
  { key: 'breaker', title: 'retries and breakers', policies: { retry: naive, circuitBreaker: {} } },
  { key: 'shedding', title: 'retries and shedding', policies: { retry: naive, shedding: true } },
  { key: 'all', title: 'all together', policies: { retry: {}, circuitBreaker: {}, shedding: true } },
];
