/** 1,000 clients and a service that is busy to five eighths, until it gets into trouble for 10 s. */
export const SCENARIO = {
  seed: 1,
  seconds: 75,
  clients: 1_000,
  /** Of all clients together. */
  callsPerSecond: 500,
  /** The clients', ms: an answer after `total` is of no use. */
  timeout: { perAttempt: 500, total: 2_000 },
  /** 40 workers x 50 ms: 800 a second with an empty queue, 640 with a full one. */
  service: { workers: 40, workMs: 50, backlog: 2_000, slowdown: 0.25 },
};

/** What happens from second 15 to second 25. */
export const TRIGGERS = {
  capacity: { title: 'the service loses 60 % of its workers for 10 s', from: 15, to: 25, capacity: 0.4 },
  spike: { title: 'clients make 2.5 times as many calls for 10 s', from: 15, to: 25, load: 2.5 },
};

const unbounded = { budget: false };

/** What guards clients and service; `{}` and `true` stand for the library's defaults. */
export const CASES = [
  { key: 'single', title: 'no retries', policies: {} },
  { key: 'naive', title: 'retries alone', policies: { retry: unbounded } },
  { key: 'budget', title: 'retries with a budget', policies: { retry: {} } },
  {
    key: 'frugal',
    title: 'retries with a budget of calls alone',
    policies: { retry: { budget: { min: 1, perSecond: 0 } } },
  },
  { key: 'breaker', title: 'retries and breakers', policies: { retry: unbounded, circuitBreaker: {} } },
  { key: 'shedding', title: 'retries and shedding', policies: { retry: unbounded, shedding: true } },
  { key: 'all', title: 'all together', policies: { retry: {}, circuitBreaker: {}, shedding: true } },
  {
    key: 'prompt',
    title: 'all, breakers that probe after 5 s',
    policies: { retry: {}, circuitBreaker: { resetTimeout: 5_000 }, shedding: true },
  },
];

/** The cases that the picture shows. */
export const PICTURED = ['naive', 'budget', 'breaker', 'shedding', 'all', 'prompt'];
