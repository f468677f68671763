import { ThrottlerStorageService } from '@nestjs/throttler';
import { RateLimit, Timeout } from 'nestjs-bulwark';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import { succeed, succeeding } from '../support/calls.mjs';
import { decorate } from '../support/decorate.mjs';
import { interleave } from '../support/interleave.mjs';
import { ratioLine, valueLine } from '../support/line.mjs';
import { interval, typical } from '../support/statistics.mjs';

export const title = 'a call that a rate limit lets through';

/** Nobody is refused. A key has some 20 hits in its window: @nestjs/throttler copies them all at each one. */
const LIMIT = 1e6;
const PER_MS = 10;
const KEYS = Array.from({ length: 100 }, (_, index) => `client ${index}`);

export function measure({ seconds }) {
  const subjects = {
    bulwark: guarded(RateLimit({ limit: LIMIT, per: PER_MS })),
    'bulwark again': guarded(RateLimit({ limit: LIMIT, per: PER_MS })),
    'bulwark by key': guarded(RateLimit({ limit: LIMIT, per: PER_MS, key: (key) => key })),
    'bulwark, cold start': guarded(RateLimit({ limit: LIMIT, per: PER_MS, warmUp: { over: 1_000 } })),
    'bare wrapper': guarded(Timeout(false)),
    'bare wrapper again': guarded(Timeout(false)),
    'rate-limiter-flexible': flexible(),
    '@nestjs/throttler': throttler(),
    'no limit': succeed,
  };
  const runs = Object.entries(subjects).map(([name, call]) => [name, { run: succeeding(turns(call)) }]);
  return interleave(Object.fromEntries(runs), { seconds });
}

export function report(results) {
  const figure = 'one admission, above the bare wrapper';
  const above = (subject, bare = 'bare wrapper') =>
    interval(results.map((result) => result[subject].map((ns, round) => (ns - result[bare][round]) / 1e3)));
  const whole = (peer) => `${((typical(results, peer) - typical(results, 'no limit')) / 1e3).toPrecision(3)} us`;
  const line = (subject, rest) =>
    valueLine({ figure: `${figure}${rest.title}`, unit: 'us', measured: above(subject), ...rest });
  return [
    line('bulwark', {
      title: '',
      goal: { max: 0.5 },
      peer: 'rate-limiter-flexible',
      theirs: whole('rate-limiter-flexible'),
    }),
    line('bulwark by key', {
      title: ', 100 keys',
      goal: { max: 0.5 },
      peer: '@nestjs/throttler',
      theirs: whole('@nestjs/throttler'),
    }),
    line('bulwark, cold start', { title: ', cold start' }),
    line('bare wrapper again', { title: ': the bare wrapper itself' }),
    ratioLine(results, { figure: 'a limited call, 100 keys', peer: 'rate-limiter-flexible', ours: 'bulwark by key' }),
    ratioLine(results, { figure: 'a limited call, 100 keys', peer: '@nestjs/throttler', ours: 'bulwark by key' }),
  ];
}

/** Gives each call the next key. */
function turns(call) {
  let turn = 0;
  return () => call(KEYS[(turn = (turn + 1) % KEYS.length)]);
}

function guarded(decorator) {
  class Upstream {
    async request() {
      return 1;
    }
  }
  decorate(Upstream.prototype, 'request', decorator);
  const upstream = new Upstream();
  return (key) => upstream.request(key);
}

function flexible() {
  const limiter = new RateLimiterMemory({ points: LIMIT, duration: PER_MS / 1_000 });
  return async (key) => {
    await limiter.consume(key);
    return succeed();
  };
}

function throttler() {
  const storage = new ThrottlerStorageService();
  return async (key) => {
    const { isBlocked } = await storage.increment(key, PER_MS, LIMIT, 0, 'default');
    if (isBlocked) throw new Error('refused: the row is void');
    return succeed();
  };
}
