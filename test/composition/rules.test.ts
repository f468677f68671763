import { Injectable } from '@nestjs/common';
import {
  Bulkhead,
  CircuitBreaker,
  CircuitOpenException,
  RateLimit,
  RateLimitExceededException,
  Resilient,
  Retry,
  RuleSetError,
  Timeout,
  TimeoutException,
  type RuleDocument,
} from 'nestjs-bulwark';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Deferred, fail, hang, pass, settle, startApp, watch, type Scene } from './scene.js';

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

type Run = () => Promise<unknown>;

@Injectable()
class Payments {
  @Resilient('payments')
  charge(run: Run): Promise<unknown> {
    return run();
  }

  @Timeout(500)
  @Retry(1)
  refund(run: Run): Promise<unknown> {
    return run();
  }

  @CircuitBreaker('ledger', { volumeThreshold: 4, key: (_run: Run, key: string) => key })
  book(run: Run, _key: string): Promise<unknown> {
    return run();
  }

  @Bulkhead({ maxConcurrent: 1, maxQueue: 5 })
  print(run: Run): Promise<unknown> {
    return run();
  }

  @RateLimit({ limit: 2, per: 1_000 })
  quote(run: Run): Promise<unknown> {
    return run();
  }

  @Resilient(false)
  bare(run: Run): Promise<unknown> {
    return run();
  }
}

const BY = { by: 'ann' };
const policies = { payments: { circuitBreaker: { volumeThreshold: 10 }, timeout: 1_000 } };

async function start(): Promise<Scene & { payments: Payments; apply(document: RuleDocument): unknown }> {
  const scene = await startApp([Payments], { policies });
  const { rules } = scene.resilience;
  return Object.assign(scene, {
    payments: scene.get(Payments),
    apply: (document: RuleDocument) => rules.apply(document, BY),
  });
}

const ok = (): Promise<unknown> => Promise.resolve('ok');

describe('a rule for a breaker', () => {
  it('changes the threshold and keeps what was counted', async () => {
    const { payments, breaker, apply } = bound(await start());
    for (let call = 0; call < 5; call++) await payments.charge(fail()).catch(() => undefined);

    apply({ policies: { payments: { circuitBreaker: { volumeThreshold: 6 } } } });

    expect(breaker('payments').stats.failures).toBe(5);
    expect(breaker('payments').state).toBe('closed');
    await payments.charge(fail()).catch(() => undefined);
    expect(breaker('payments').state).toBe('open');
    await expect(payments.charge(ok)).rejects.toThrow(CircuitOpenException);
  });

  it('leaves an operator in charge', async () => {
    const { payments, breaker, apply } = bound(await start());
    breaker('payments').forceOpen('maintenance');

    apply({ policies: { payments: { circuitBreaker: { enabled: false, mode: 'normal' } } } });

    expect(breaker('payments').state).toBe('forcedOpen');
    await expect(payments.charge(ok)).rejects.toThrow(CircuitOpenException);
    breaker('payments').disable();
    apply({ policies: { payments: { circuitBreaker: { enabled: true } } } });
    expect(breaker('payments').state).toBe('disabled');
  });

  it('turns judging off and on where nobody has said otherwise', async () => {
    const { breaker, apply, resilience } = bound(await start());
    apply({ policies: { payments: { circuitBreaker: { enabled: false } } } });
    expect(breaker('payments').state).toBe('disabled');

    resilience.rules.clear(BY);

    expect(breaker('payments').state).toBe('closed');
  });

  it('runs in the shadow: it judges and refuses nothing', async () => {
    const { payments, breaker, apply } = bound(await start());
    apply({ policies: { payments: { circuitBreaker: { volumeThreshold: 1, mode: 'metricsOnly' } } } });
    await payments.charge(fail()).catch(() => undefined);

    expect(breaker('payments').state).toBe('open');
    await expect(payments.charge(ok)).resolves.toBe('ok');
  });

  it('reaches every key, and keeps the keys', async () => {
    const { payments, breaker, apply } = bound(await start());
    for (let call = 0; call < 2; call++) await payments.book(fail(), 'a').catch(() => undefined);
    await payments.book(ok, 'b');

    apply({ policies: { ledger: { circuitBreaker: { volumeThreshold: 3, maxKeys: 1 } } } });
    await payments.book(fail(), 'a').catch(() => undefined);

    expect(breaker('ledger', 'a').state).toBe('open');
    expect(breaker('ledger', 'b').stats.successes).toBe(1);
  });

  it('begins a new window, and nothing else, when the window gets another size', async () => {
    const { payments, breaker, apply } = bound(await start());
    for (let call = 0; call < 10; call++) await payments.charge(fail()).catch(() => undefined);
    expect(breaker('payments').state).toBe('open');

    apply({ policies: { payments: { circuitBreaker: { rollingCountTimeout: 60_000 } } } });

    expect(breaker('payments').state).toBe('open');
    expect(breaker('payments').stats.failures).toBe(0);
  });
});

describe('a rule for a method', () => {
  it('wins over its decorators, and shows in the plan', async () => {
    const { payments, plan, apply } = bound(await start());
    apply({ methods: { 'Payments.refund': { timeout: 100, retry: { maxAttempts: 2, backoff: { fixed: 10 } } } } });
    let runs = 0;
    const call = watch(payments.refund(() => (++runs === 1 ? hang() : ok())));
    await pass(120);

    expect(call.value).toBe('ok');
    const entry = plan('refund', 'Payments')?.policies.find(({ policy }) => policy === 'timeout');
    expect(entry).toMatchObject({ options: { perAttempt: 100 }, sources: { perAttempt: 'rule' } });
  });

  it('adds what was not there, and takes away what was', async () => {
    const { order, apply } = bound(await start());
    apply({ methods: { 'Payments.refund': { retry: false, bulkhead: 3 } } });

    expect(order('refund', 'Payments')).toEqual(['timeout.perAttempt', 'bulkhead']);
  });

  it('lets calls that run end under the plan with which they began', async () => {
    const { payments, apply } = bound(await start());
    const before = watch(payments.refund(hang));
    await settle();
    apply({ methods: { 'Payments.refund': { timeout: 50 } } });
    const after = watch(payments.refund(hang));
    await pass(60);

    expect(after.error).toBeInstanceOf(TimeoutException);
    expect(before.settled).toBe(false);
    await pass(450);
    expect(before.error).toBeInstanceOf(TimeoutException);
  });
});

describe('a rule for a set', () => {
  it('reaches execute() and whoever takes the set', async () => {
    const { resilience, apply } = bound(await start());
    await resilience.execute('payments', ok);
    apply({ policies: { payments: { timeout: 20, retry: { maxAttempts: 2, backoff: { fixed: 0 } } } } });
    let runs = 0;
    const call = watch(resilience.execute('payments', () => (runs++, hang())));
    await pass(50);

    expect(call.error).toBeInstanceOf(TimeoutException);
    expect(runs).toBe(2);
  });

  it('reaches sets that code gives as objects', async () => {
    const { resilience, apply } = bound(await start());
    const set = { name: 'rates', bulkhead: { maxConcurrent: 1 } };
    const first = watch(resilience.execute(set, hang));
    await expect(resilience.execute(set, ok)).rejects.toThrow('BULKHEAD_FULL');

    apply({ policies: { rates: { bulkhead: 2 } } });

    await expect(resilience.execute(set, ok)).resolves.toBe('ok');
    expect(first.settled).toBe(false);
  });
});

describe('a rule for a bulkhead', () => {
  it('lets in who waits when the limit rises, and lets finish who runs when it falls', async () => {
    const { payments, apply } = bound(await start());
    const ends = [0, 1, 2, 3].map(() => new Deferred());
    const begun: number[] = [];
    const calls = ends.map((end, index) => watch(payments.print(() => (begun.push(index), end.promise))));
    await settle();
    expect(begun).toEqual([0]);

    apply({ methods: { 'Payments.print': { bulkhead: 3 } } });
    await settle();
    expect(begun).toEqual([0, 1, 2]);

    apply({ methods: { 'Payments.print': { bulkhead: 1 } } });
    ends[0]?.resolve(0);
    ends[1]?.resolve(1);
    await settle();
    expect(begun).toEqual([0, 1, 2]);
    ends[2]?.resolve(2);
    await settle();
    expect(begun).toEqual([0, 1, 2, 3]);
    expect(calls.slice(0, 3).every(({ settled }) => settled)).toBe(true);
  });

  it('runs in the shadow: it counts and lets all run', async () => {
    const { payments, apply } = bound(await start());
    apply({ methods: { 'Payments.print': { bulkhead: { maxConcurrent: 1, mode: 'metricsOnly' } } } });
    const ends = [0, 1].map(() => new Deferred());
    const begun: number[] = [];

    const calls = ends.map((end, index) => payments.print(() => (begun.push(index), end.promise)));
    await settle();

    expect(begun).toEqual([0, 1]);
    for (const [index, end] of ends.entries()) end.resolve(index);
    await expect(Promise.all(calls)).resolves.toEqual([0, 1]);
  });
});

describe('a rule for a rate limit', () => {
  it('keeps what is owed', async () => {
    const { payments, apply } = bound(await start());
    await payments.quote(ok);
    await payments.quote(ok);

    apply({ methods: { 'Payments.quote': { rateLimit: { limit: 4, per: 1_000, burst: 1 } } } });

    await expect(payments.quote(ok)).rejects.toThrow(RateLimitExceededException);
    await pass(1_000);
    await payments.quote(ok);
    await expect(payments.quote(ok)).rejects.toMatchObject({ retryAfterMs: 250 });
  });

  it('runs in the shadow: it counts and refuses nothing', async () => {
    const { payments, apply } = bound(await start());
    apply({ methods: { 'Payments.quote': { rateLimit: { mode: 'metricsOnly' } } } });

    for (let call = 0; call < 5; call++) await expect(payments.quote(ok)).resolves.toBe('ok');
  });
});

describe('applying', () => {
  it('tells each change with who, when and what, and the same document once only', async () => {
    const { resilience, log } = bound(await start());
    const document = { version: 3, policies: { payments: { timeout: 200, bulkhead: 5 } } };
    resilience.rules.apply(document, { by: 'ann', reason: 'sale' });

    expect(log.filter(({ type }) => type === 'ruleChange')).toMatchObject([
      { name: 'payments', policy: 'timeout', path: 'policies.payments.timeout.perAttempt', to: 200, by: 'ann' },
      { path: 'policies.payments.bulkhead.maxConcurrent', to: 5, reason: 'sale', source: 'api', version: 3 },
    ]);
    expect(resilience.rules.apply(document, BY)).toEqual([]);
    expect(resilience.rules.diff({ policies: { payments: { timeout: 200 } } })).toEqual([
      { path: 'policies.payments.bulkhead.maxConcurrent', from: 5, to: undefined },
    ]);
    expect(log.filter(({ type }) => type === 'ruleChange')).toHaveLength(2);
    expect(resilience.rules.current).toEqual(document);
  });

  it('is taken back by clear(): everything is as the code has it', async () => {
    const { resilience, apply } = bound(await start());
    const before = resilience.plan();
    apply({ policies: { payments: { timeout: 200, retry: 4 } }, methods: { 'Payments.print': { bulkhead: false } } });
    expect(resilience.plan()).not.toEqual(before);

    resilience.rules.clear(BY);

    expect(resilience.plan()).toEqual(before);
    expect(resilience.rules.current).toBeUndefined();
  });

  it.each<[string, unknown, string]>([
    ['an unknown set', { policies: { paymnets: { timeout: 1 } } }, 'policies.paymnets'],
    ['an unknown method', { methods: { 'Payments.chrage': { timeout: 1 } } }, 'methods.Payments.chrage'],
    ['an unknown policy', { policies: { payments: { timeuot: 1 } } }, 'policies.payments.timeuot'],
    ['an unknown option', { policies: { payments: { retry: { attempts: 1 } } } }, 'policies.payments.retry.attempts'],
    ['a wrong value', { policies: { payments: { timeout: { total: -1 } } } }, 'policies.payments.timeout.total'],
    ['a short form', { policies: { payments: { retry: 0 } } }, 'policies.payments.retry'],
    ['a function', { policies: { payments: { retry: { backoff: () => 1 } } } }, 'policies.payments.retry.backoff'],
    [
      'what code alone has',
      { policies: { ledger: { circuitBreaker: { key: 'x' } } } },
      'policies.ledger.circuitBreaker.key',
    ],
    [
      'an unknown form',
      { policies: { payments: { circuitBreaker: { trip: { sometimes: 1 } } } } },
      'policies.payments.circuitBreaker.trip',
    ],
    [
      'a wrong form',
      { policies: { payments: { retry: { backoff: { exponential: { factor: 0 } } } } } },
      'policies.payments.retry.backoff',
    ],
    [
      'options that do not fit together',
      { methods: { 'Payments.quote': { rateLimit: { maxWait: 5 } } } },
      'methods.Payments.quote.rateLimit.maxWait',
    ],
    ['a rate limit without a rate', { policies: { payments: { rateLimit: {} } } }, 'policies.payments.rateLimit'],
    [
      'a shared breaker',
      { methods: { 'Payments.book': { circuitBreaker: {} } } },
      'methods.Payments.book.circuitBreaker',
    ],
    ['an exempt method', { methods: { 'Payments.bare': { timeout: 5 } } }, 'methods.Payments.bare.timeout'],
    ['what a name does not have', { policies: { ledger: { timeout: 5 } } }, 'policies.ledger.timeout'],
    ['an unknown section', { rules: {} }, 'rules'],
    ['no document', null, 'document'],
  ])('refuses %s, with its path, and changes nothing', async (_what, document, path) => {
    const { resilience } = bound(await start());
    resilience.rules.apply({ policies: { payments: { timeout: 300 } } }, BY);
    const before = resilience.plan();

    const faults = resilience.rules.validate(document as RuleDocument);
    expect(faults.map((fault) => fault.path)).toContain(path);
    expect(() => resilience.rules.apply(document as RuleDocument, BY)).toThrow(RuleSetError);
    expect(() => resilience.rules.apply(document as RuleDocument, BY)).toThrow(path);
    expect(resilience.plan()).toEqual(before);
    expect(resilience.rules.current).toEqual({ policies: { payments: { timeout: 300 } } });
  });

  it('names every fault at once', async () => {
    const { resilience } = bound(await start());
    const faults = resilience.rules.validate({
      policies: { payments: { timeout: -1, retry: { maxAttempts: 0, maxDuration: -5 } } },
    });

    expect(faults.map(({ path }) => path)).toEqual([
      'policies.payments.timeout',
      'policies.payments.retry.maxAttempts',
      'policies.payments.retry.maxDuration',
    ]);
  });
});

/** The helpers of a scene, to be taken apart. */
function bound<T extends Scene>(scene: T) {
  return {
    ...scene,
    resilience: scene.resilience,
    log: scene.log,
    breaker: (name: string, key?: string) => scene.resilience.circuitBreaker(name, key),
    plan: scene.plan.bind(scene),
    order: scene.order.bind(scene),
  };
}
