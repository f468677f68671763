import { simulate } from './simulate.mjs';

/** A service that answers 200 calls a second, to which refusing costs three tenths of an answer, and ten clients of it. */
export const SCENARIO = {
  seed: 1,
  /** Some take ten minutes to find out that all is well again. */
  seconds: 675,
  clients: 10,
  callsPerSecond: 120,
  timeout: { perAttempt: 1_000, total: 2_000 },
  /** The queue is never longer than clients wait. */
  service: { workers: 10, workMs: 50, backlog: 20, slowdown: 0, refusalMs: 15 },
};

/** What the service can answer, a second. */
export const CAPACITY = 200;

export const TROUBLES = {
  overload: { title: 'calls at 150 % of what the service can answer, for 90 s', from: 15, to: 105, load: 2.5 },
  outage: { title: 'the service hangs for 60 s', from: 15, to: 75, capacity: 0 },
};

const throttle = { factor: 1.1, window: 10_000 };
const breaker = { resetTimeout: 5_000 };

export const CASES = [
  { key: 'none', title: 'nothing', policies: {} },
  { key: 'breaker', title: 'a breaker', policies: { circuitBreaker: breaker } },
  { key: 'throttle', title: 'a throttle', policies: { adaptiveThrottle: throttle } },
  { key: 'both', title: 'both', policies: { circuitBreaker: breaker, adaptiveThrottle: throttle } },
  { key: 'long', title: 'a throttle, `window: 60_000`', policies: { adaptiveThrottle: { factor: 1.1 } } },
  { key: 'generous', title: 'a throttle, `factor: 2`', policies: { adaptiveThrottle: { window: 10_000 } } },
];

/** The first seconds of trouble find the right measure. */
const SETTLED_S = 30;

/** How clients and service fare in a trouble, once it has lasted for half a minute. */
export async function compare(library, trouble, policies, scenario = SCENARIO) {
  const { series, summary } = await simulate(library, { ...scenario, trigger: trouble }, policies);
  const steady = (values) => values.slice(trouble.from + SETTLED_S, trouble.to);
  const goodput = steady(series.goodput);
  const opened = steady(series.opened);
  return {
    goodput: mean(goodput),
    worst: Math.min(...goodput),
    attempts: mean(steady(series.offered)),
    /** How often a breaker opens, a minute and client. */
    opened: (mean(opened) * 60) / scenario.clients,
    recoveredAfter: summary.recoveredAfter,
  };
}

function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
