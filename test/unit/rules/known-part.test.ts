import { describe, expect, it } from 'vitest';
import { knownPartOf } from '../../../lib/rules/known-part.js';

describe('the known part of a rule document', () => {
  it('is the document itself where everything is known, be it wrong', () => {
    const document = { version: 3, policies: { payments: { timeout: -1, retry: { maxAttempts: 'many' } } } };

    expect(knownPartOf(document)).toEqual({ document, unknown: [] });
    expect(knownPartOf('no document')).toEqual({ document: 'no document', unknown: [] });
  });

  it.each([
    ['a section', { later: {}, policies: { a: { timeout: 5 } } }, { policies: { a: { timeout: 5 } } }, 'later'],
    [
      'a policy',
      { methods: { 'A.b': { timeout: 5, later: 1 } } },
      { methods: { 'A.b': { timeout: 5 } } },
      'methods.A.b.later',
    ],
    [
      'an option',
      { policies: { a: { retry: { maxAttempts: 2, later: 1 } } } },
      { policies: { a: { retry: { maxAttempts: 2 } } } },
      'policies.a.retry.later',
    ],
    [
      'all of a policy',
      { policies: { a: { retry: { later: 1 } }, b: { timeout: 1 } } },
      { policies: { b: { timeout: 1 } } },
      'policies.a.retry.later',
    ],
    [
      'a form of an option',
      { policies: { a: { circuitBreaker: { trip: { later: 5 }, resetTimeout: 9 } } } },
      { policies: { a: { circuitBreaker: { resetTimeout: 9 } } } },
      'policies.a.circuitBreaker.trip.later',
    ],
    [
      'an option of a form',
      { policies: { a: { circuitBreaker: { resetTimeout: { exponential: { initial: 10, later: 1 } } } } } },
      { policies: { a: { circuitBreaker: { resetTimeout: { exponential: { initial: 10 } } } } } },
      'policies.a.circuitBreaker.resetTimeout.exponential.later',
    ],
    ...(['countWindow', 'slowCallRate'] as const).map((form): [string, object, object, string] => {
      const known = { percentage: 50, ...(form === 'countWindow' ? { size: 10 } : { slowerThan: 100 }) };
      const document = (options: object) => ({ policies: { a: { circuitBreaker: { trip: { [form]: options } } } } });
      const path = `policies.a.circuitBreaker.trip.${form}.later`;
      return [`an option of ${form}`, document({ ...known, later: 1 }), document(known), path];
    }),
    [
      'a field of a ramp',
      { policies: { a: { circuitBreaker: { recovery: { over: 10, from: 0.1, later: 1 } } } } },
      { policies: { a: { circuitBreaker: { recovery: { over: 10, from: 0.1 } } } } },
      'policies.a.circuitBreaker.recovery.later',
    ],
    [
      'a field of a cold start',
      { policies: { a: { rateLimit: { limit: 5, warmUp: { over: 10, later: 1 } } } } },
      { policies: { a: { rateLimit: { limit: 5, warmUp: { over: 10 } } } } },
      'policies.a.rateLimit.warmUp.later',
    ],
    [
      'one of several forms',
      { policies: { a: { circuitBreaker: { trip: { anyOf: [{ consecutiveFailures: 3 }, { later: 1 }] } } } } },
      { policies: { a: { circuitBreaker: { trip: { anyOf: [{ consecutiveFailures: 3 }] } } } } },
      'policies.a.circuitBreaker.trip.anyOf.1.later',
    ],
    [
      'an option of a short form',
      { policies: { a: { bulkhead: { adaptive: { initial: 5, later: 1 } } } } },
      { policies: { a: { bulkhead: { adaptive: { initial: 5 } } } } },
      'policies.a.bulkhead.adaptive.later',
    ],
  ])('leaves out %s that it does not know, and names it', (_what, document, known, path) => {
    const before = structuredClone(document);

    expect(knownPartOf(document)).toEqual({ document: known, unknown: [path] });
    expect(document).toEqual(before);
  });

  it('leaves out several at once', () => {
    const { document, unknown } = knownPartOf({
      policies: { a: { later: 1, retry: { backoff: { exponential: { later: 1, initial: 5 } }, other: 2 } } },
    });

    expect(document).toEqual({ policies: { a: { retry: { backoff: { exponential: { initial: 5 } } } } } });
    expect([...unknown].sort()).toEqual([
      'policies.a.later',
      'policies.a.retry.backoff.exponential.later',
      'policies.a.retry.other',
    ]);
  });

  it('names each of several in a list by the place where it stood', () => {
    const { document, unknown } = knownPartOf({
      policies: {
        a: { circuitBreaker: { trip: { anyOf: [{ later: 1 }, { consecutiveFailures: 3 }, { other: 1 }] } } },
      },
    });

    expect(document).toEqual({
      policies: { a: { circuitBreaker: { trip: { anyOf: [{ consecutiveFailures: 3 }] } } } },
    });
    expect(unknown).toHaveLength(2);
  });

  it('holds the process up for a moment only, however much it does not know', () => {
    const names = Array.from({ length: 30_000 }, (_, i) => [`p${i}`, { later: 1 }]);
    const fields = Array.from({ length: 30_000 }, (_, i) => [`f${i}`, 1]);
    const begin = performance.now();

    const { unknown } = knownPartOf({
      policies: { ...(Object.fromEntries(names) as object), a: Object.fromEntries(fields) as object },
    });

    expect(unknown).toHaveLength(60_000);
    expect(performance.now() - begin).toBeLessThan(8_000);
  });

  it('is not sought for long where each field hides the next: what is left is refused', () => {
    const forms = Array.from({ length: 2_000 }, (_, i) => ({ [`later${i}`]: 1 }));
    const { document, unknown } = knownPartOf({ policies: { a: { circuitBreaker: { trip: { anyOf: forms } } } } });

    expect(unknown.length).toBeLessThan(2_000);
    expect(document).toHaveProperty('policies.a.circuitBreaker.trip.anyOf');
  });
});
