import { cockatiel, mollitia } from '../peers/index.mjs';
import { opossum } from '../support/breakers.mjs';
import { succeed, succeeding } from '../support/calls.mjs';
import { interleave } from '../support/interleave.mjs';
import { ratioLine } from '../support/line.mjs';
import { callOf, stackOfFour, TIMEOUT_MS } from '../support/stacks.mjs';

export const title = 'a call that succeeds, under fallback + retry + breaker + timeout';

export function measure({ seconds }) {
  const subjects = {
    bulwark: callOf(stackOfFour(), succeed),
    'bulwark again': callOf(stackOfFour(), succeed),
    cockatiel: cockatielStack(cockatiel.TimeoutStrategy.Aggressive),
    'cockatiel cooperative': cockatielStack(cockatiel.TimeoutStrategy.Cooperative),
    mollitia: mollitiaStack(100),
    'mollitia, last 10 calls': mollitiaStack(10),
    'opossum fire': opossum(succeed),
    'no policy': succeed,
  };
  const runs = Object.entries(subjects).map(([name, call]) => [name, { run: succeeding(call) }]);
  return interleave(Object.fromEntries(runs), { seconds });
}

export function report(results) {
  const figure = 'four policies, success';
  return [
    ratioLine(results, { figure, peer: 'cockatiel', goal: { max: 0.02 } }),
    ratioLine(results, { figure, peer: 'mollitia', goal: { max: 0.02 } }),
    ratioLine(results, { figure, peer: 'opossum fire', goal: { max: 0.6 } }),
    ratioLine(results, { figure, peer: 'cockatiel cooperative' }),
    ratioLine(results, { figure, peer: 'mollitia, last 10 calls' }),
    ratioLine(results, { figure, peer: 'no policy' }),
  ];
}

/** `Aggressive` ends the call when the time is over, as ours does; `Cooperative` only aborts the signal. */
function cockatielStack(strategy) {
  const { circuitBreaker, fallback, handleAll, retry, SamplingBreaker, timeout, wrap } = cockatiel;
  const policy = wrap(
    fallback(handleAll, 0),
    retry(handleAll, { maxAttempts: 2, backoff: new cockatiel.ExponentialBackoff() }),
    circuitBreaker(handleAll, {
      halfOpenAfter: 30_000,
      breaker: new SamplingBreaker({ threshold: 0.5, duration: 10_000, minimumRps: 1 }),
    }),
    timeout(TIMEOUT_MS, strategy),
  );
  return () => policy.execute(succeed);
}

/**
 * It copies its window at each call. A window over time, as ours, would hold up to 1,000 calls and cost it 200 us; the
 * last 100 calls are the least by which a rate can be told, the last 10 are its default.
 */
function mollitiaStack(slidingWindowSize) {
  const modules = [
    new mollitia.Fallback({ callback: () => 0 }),
    new mollitia.Retry({ attempts: 2, interval: 100, mode: mollitia.RetryMode.EXPONENTIAL }),
    new mollitia.SlidingCountBreaker({ slidingWindowSize }),
    new mollitia.Timeout({ delay: TIMEOUT_MS }),
  ];
  const circuit = new mollitia.Circuit({ func: succeed, options: { modules } });
  return () => circuit.execute();
}
