import { NotFoundException } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { BulkheadFullException } from '../../../../lib/errors/bulkhead-full.exception.js';
import { UnsubscribedError } from '../../../../lib/kernel/call-info.js';
import { callOf, type Call } from '../../../../lib/kernel/call.js';
import { judgeBad } from '../../../../lib/kernel/judged-bad.js';
import { FallbackDecision } from '../../../../lib/policies/fallback/fallback.decision.js';
import type { DeclaredFallback } from '../../../../lib/policies/fallback/fallback.options.js';
import { LastGood } from '../../../../lib/policies/fallback/last-good.js';
import type { LastGoodOptions, LastGoodStore } from '../../../../lib/policies/fallback/last-good.options.js';
import { OnlyItems } from '../../../../lib/policies/fallback/only-items.js';
import { execute, method, newCall, type Given } from '../../../support/calls.js';
import { errorOf, settle, track } from '../../../support/settle.js';
import { TestEnvironment } from '../../../support/test-environment.js';

const init = { policy: 'p', instanceName: 'i', message: 'm' };
const boom = new Error('boom');
const LAST: LastGoodOptions = { key: (currency: string) => currency, maxAge: 60_000 };

interface Asked {
  /** Whether the method gives streams. */
  streams?: boolean;
  listening?: boolean;
}

/** Fallbacks of which those by the last good answer remember by the first argument, which is 'eur' by default. */
function setUp(fallbacks: readonly DeclaredFallback[], { streams = false, listening = true }: Asked = {}) {
  const environment = new TestEnvironment(listening);
  const remembered = fallbacks.map(({ lastGood }, index) =>
    lastGood === undefined ? undefined : new LastGood(`Rates.current [${index}]`, lastGood, environment),
  );
  const fellBack: unknown[][] = [];
  const witness = { fellBack: (_: unknown, ...told: unknown[]) => void fellBack.push(told) };
  const items = streams ? new OnlyItems(() => undefined) : undefined;
  const decision = new FallbackDecision('Rates.current', fallbacks, 0, environment, witness, remembered, items);
  const begin = (given: Given = {}) => newCall(environment, { args: ['eur'], ...given });
  const give = (value: unknown, attempt = begin()) =>
    execute(
      decision,
      attempt,
      method(() => value),
    );
  const fail = (error: unknown = boom, attempt = begin()) =>
    execute(
      decision,
      attempt,
      method(() => Promise.reject(error)),
    );
  const stream = (...given: unknown[]): Call => {
    const call = callOf(begin());
    for (const item of given) decision.item?.(call, item);
    return call;
  };
  return { environment, clock: environment.clock, decision, fellBack, begin, give, fail, stream };
}

/** A store that knows one answer. */
const storeOf = (answer: unknown): LastGoodStore => ({ get: async () => answer, put: async () => undefined });

describe('a fallback by the last good answer', () => {
  it('answers with what the last call of the same key was given', async () => {
    const { give, fail, begin } = setUp([{ lastGood: LAST }]);
    await give(1);
    await give(2);
    await give(3, begin({ args: ['usd'] }));

    expect(await fail()).toBe(2);
    expect(await fail(boom, begin({ args: ['usd'] }))).toBe(3);
    expect(await errorOf(fail(boom, begin({ args: ['gbp'] })))).toBe(boom);
  });

  it('says how old the answer is: by an event, to the breaker, and to the request that is answered', async () => {
    const { environment, clock, give, fail, begin, fellBack } = setUp([{ lastGood: LAST }]);
    await give(7);
    await clock.advance(5_000);
    const ages: number[] = [];
    await fail(boom, begin({ onStale: (_, ageMs) => void ages.push(ageMs) }));

    expect(environment.told).toMatchObject([{ type: 'fallback', error: boom, staleMs: 5_000 }]);
    expect(fellBack).toEqual([[7, boom]]);
    expect(ages).toEqual([5_000]);
  });

  it('says nothing of an age where another fallback answers', async () => {
    const { environment, fail } = setUp([{ lastGood: LAST }, { value: 'none' }]);

    expect(await fail()).toBe('none');
    expect(environment.told).toHaveLength(1);
    expect(environment.told[0]).not.toHaveProperty('staleMs');
  });

  it('does not remember what it has answered itself', async () => {
    const { clock, give, fail } = setUp([{ lastGood: LAST }, { value: 'none' }]);
    await give(7);
    await clock.advance(40_000);
    expect(await fail()).toBe(7);
    await clock.advance(40_000);

    expect(await fail()).toBe('none');
  });

  it('does not remember what a policy inside has judged to be no good answer', async () => {
    const { give, fail, begin } = setUp([{ lastGood: LAST }]);
    await give('good');
    const bad = begin();
    judgeBad(bad);
    await give('bad', bad);

    expect(await fail()).toBe('good');
  });

  it('answers only what it is for', async () => {
    const { give, fail } = setUp([{ lastGood: LAST, skipOn: TypeError }]);
    await give(7);

    expect(await errorOf(fail(new NotFoundException()))).toBeInstanceOf(NotFoundException);
    expect(await errorOf(fail(new TypeError('mine')))).toBeInstanceOf(TypeError);
    expect(await fail(new BulkheadFullException(init))).toBe(7);
  });

  it('leaves a refusal to what the call itself says of it', async () => {
    const { give, fail, begin } = setUp([{ lastGood: LAST }]);
    await give(7);
    const origin = { onRefused: () => 'later' };
    const full = new BulkheadFullException(init);

    expect(await errorOf(fail(full, begin(origin)))).toBe(full);
    expect(await fail(boom, begin(origin))).toBe(7);
  });

  it('hears of no values where none of a list remembers', () => {
    const { decision } = setUp([{ value: 1 }], { streams: true });

    expect([decision.gave, decision.item]).toEqual([undefined, undefined]);
  });

  it('is none of the streams that have begun: the next of the list answers', async () => {
    const { give, fail, begin } = setUp([{ lastGood: LAST }, { value: 'none' }]);
    await give(7);
    const begun = begin();
    begun.rarely().emitted = true;

    expect(await fail(boom, begun)).toBe('none');
  });

  it('answers where nobody hears of it', async () => {
    const { environment, give, fail } = setUp([{ lastGood: LAST }], { listening: false });
    await give(7);

    expect(await fail()).toBe(7);
    expect(environment.told).toEqual([]);
  });

  describe('in a list', () => {
    it('answers before the next, and each of them remembers', async () => {
      const short = { ...LAST, maxAge: 10 };
      const { clock, give, fail } = setUp([{ lastGood: short }, { lastGood: LAST }, { value: 'none' }]);
      await give(7);
      await clock.advance(20);
      expect(await fail()).toBe(7);
      await clock.advance(60_000);

      expect(await fail()).toBe('none');
    });

    it('is passed over where its `on` does not hold', async () => {
      const { give, fail } = setUp([{ lastGood: LAST, on: TypeError }, { value: 'none' }]);
      await give(7);

      expect(await fail()).toBe('none');
      expect(await fail(new TypeError('x'))).toBe(7);
    });
  });

  describe('in a store', () => {
    it('answers with what the store knows', async () => {
      const environment = new TestEnvironment();
      const at = environment.clock.wallNow() - 500;
      const {
        fail,
        environment: ours,
        fellBack,
      } = setUp([{ lastGood: { ...LAST, store: storeOf({ value: 7, at }) } }]);

      expect(await fail()).toBe(7);
      expect(ours.told).toMatchObject([{ type: 'fallback', error: boom, staleMs: 500 }]);
      expect(fellBack).toEqual([[7, boom]]);
    });

    it('fails with the error of the call, where the store knows nothing and no other answers', async () => {
      const { environment, fail } = setUp([
        { lastGood: { ...LAST, store: storeOf(undefined) } },
        { value: 'never', on: TypeError },
      ]);

      expect(await errorOf(fail())).toBe(boom);
      expect(environment.told).toEqual([]);
    });

    it('lets the next answer, once each, where the store knows nothing', async () => {
      let asked = 0;
      const store = (value: unknown): LastGoodStore => ({
        get: async () => (asked++, value),
        put: async () => undefined,
      });
      const { fail } = setUp([
        { lastGood: { ...LAST, store: store(undefined) } },
        { lastGood: { ...LAST, store: store('rubbish') } },
        { value: 'none' },
      ]);

      expect(await fail()).toBe('none');
      expect(asked).toBe(2);
    });

    it('is work of the call, as long as the store is asked', async () => {
      const never: LastGoodStore = { get: () => new Promise(() => undefined), put: async () => undefined };
      const { clock, fail, begin } = setUp([{ lastGood: { ...LAST, store: never } }, { value: 'none' }]);
      const attempt = begin();
      const result = track(fail(boom, attempt));
      await settle();
      expect([result.status, callOf(attempt).goesOn]).toEqual(['pending', true]);
      await clock.advance(250);

      expect(result.outcome).toBe('none');
      expect(callOf(attempt).goesOn).toBe(false);
    });
  });

  describe('of streams', () => {
    it('is the only item of a stream that has ended', async () => {
      const { decision, fail, stream } = setUp([{ lastGood: LAST }], { streams: true });
      decision.gave?.(stream(7), undefined);

      expect(await fail()).toBe(7);
    });

    it.each([
      ['no item', []],
      ['several', [1, 2]],
    ])('is none of a stream that has given %s', async (_what, items) => {
      const { decision, fail, stream } = setUp([{ lastGood: LAST }], { streams: true });
      decision.gave?.(stream(...items), undefined);

      expect(await errorOf(fail())).toBe(boom);
    });

    it('is the one item of a stream whose consumer has left with it, as firstValueFrom() does', async () => {
      const { fail, stream } = setUp([{ lastGood: LAST }], { streams: true });
      const left = new UnsubscribedError();
      const call = stream(7);
      call.abort(left);

      expect(await errorOf(fail(left, call.current))).toBe(left);
      expect(await fail()).toBe(7);
    });

    it('is none of a stream that has failed behind its item', async () => {
      const { fail, stream } = setUp([{ lastGood: LAST }], { streams: true });

      expect(await errorOf(fail(boom, stream(7).current))).toBe(boom);
      expect(await errorOf(fail())).toBe(boom);
    });
  });
});

describe('a fallback that answers later', () => {
  it('is work of the call, until it has answered', async () => {
    let answer = (_: unknown): void => undefined;
    const { fail, begin, fellBack } = setUp([{ use: () => new Promise((resolve) => (answer = resolve)) }]);
    const attempt = begin();
    const result = track(fail(boom, attempt));
    await settle();
    expect(callOf(attempt).goesOn).toBe(true);
    answer(7);
    await settle();

    expect(result.outcome).toBe(7);
    expect(callOf(attempt).goesOn).toBe(false);
    expect(fellBack).toEqual([[expect.any(Promise), boom]]);
  });

  it('is none, where its answer is there at once', async () => {
    const { fail, begin } = setUp([{ value: 7 }]);
    const attempt = begin();
    const result = fail(boom, attempt);

    expect(callOf(attempt).goesOn).toBe(false);
    expect(await result).toBe(7);
  });
});
