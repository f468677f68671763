import { NotFoundException } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { BulkheadFullException } from '../../../../lib/errors/bulkhead-full.exception.js';
import { CircuitOpenException } from '../../../../lib/errors/circuit-open.exception.js';
import { ShutdownException } from '../../../../lib/errors/shutdown.exception.js';
import { TimeoutException } from '../../../../lib/errors/timeout.exception.js';
import { parseFallback } from '../../../../lib/policies/fallback/fallback.options.js';
import { FallbackDecision } from '../../../../lib/policies/fallback/fallback.decision.js';
import { ManualWork, method, underDecision, type Given } from '../../../support/calls.js';
import { errorOf, settle, thrownBy, track } from '../../../support/settle.js';
import { TestEnvironment } from '../../../support/test-environment.js';

const init = { policy: 'p', instanceName: 'i', message: 'm' };
const boom = new Error('boom');

class Client {
  cached(...given: unknown[]): unknown {
    return ['cached', ...given];
  }
}

function setUp(setting: unknown, given: Given = {}, parameterCount = 0) {
  const environment = new TestEnvironment();
  const policy = new FallbackDecision('Client.load', parseFallback('x', setting), parameterCount, environment);
  return { environment, ...underDecision(policy, environment, { instance: new Client(), ...given }) };
}

describe('FallbackDecision', () => {
  it("gives the method's own value, when it succeeds", async () => {
    const { environment, run } = setUp({ value: 'cached' });

    await expect(run(method(() => 'value'))).resolves.toBe('value');
    expect(environment.told).toEqual([]);
  });

  it.each([
    ['a value', { value: 'cached' }, 'cached'],
    ['an undefined value', { value: undefined }, undefined],
    ['a handler', () => 'cached', 'cached'],
    ['a handler that gives a promise', () => Promise.resolve('cached'), 'cached'],
    ['a handler as an option', { use: () => 'cached' }, 'cached'],
    ['a method', 'cached', ['cached', boom]],
    ['a method as an option', { use: 'cached' }, ['cached', boom]],
  ])('answers with %s, when the method fails', async (_form, setting, expected) => {
    const { executeWith } = setUp(setting);

    expect(await executeWith(boom)).toEqual(expected);
  });

  it('hands the error after every declared parameter to a method', async () => {
    const { executeWith } = setUp('cached', { args: [1] }, 3);

    expect(await executeWith(boom)).toEqual(['cached', 1, undefined, undefined, boom]);
  });

  it('hands the error and the call to a handler', async () => {
    const { executeWith, call } = setUp((...given: unknown[]) => given, { args: [1] });

    expect(await executeWith(boom)).toEqual([boom, call]);
  });

  it('tells a fallback with the error', async () => {
    const { environment, executeWith } = setUp({ value: 1 });

    await executeWith(boom);

    expect(environment.told).toEqual([
      { type: 'fallback', name: 'Client.load', policy: 'fallback', error: boom, at: environment.clock.wallNow() },
    ]);
  });

  it('lets the error of the fallback itself escape', async () => {
    const failure = new Error('no cache');

    const thrown = setUp(() => {
      throw failure;
    }).executeWith(boom);
    const rejected = setUp(() => Promise.reject(failure)).executeWith(boom);

    expect(await errorOf(thrown)).toBe(failure);
    expect(await errorOf(rejected)).toBe(failure);
  });

  describe('what it answers', () => {
    it.each([
      ['an error', boom],
      ['a string', 'boom'],
      ['a timeout', new TimeoutException(init)],
      ['429', Object.assign(new Error('x'), { status: 429 })],
      ['503', Object.assign(new Error('x'), { status: 503 })],
      ['501', Object.assign(new Error('x'), { status: 501 })],
      ['an open breaker', new CircuitOpenException(init)],
      ['a full bulkhead', new BulkheadFullException(init)],
      ['a timeout in the queue', new TimeoutException({ ...init, queued: true })],
      ['shutdown', new ShutdownException(init)],
    ])('answers a failure and a refusal: %s', async (_what, error) => {
      expect(await setUp({ value: 'cached' }).executeWith(error)).toBe('cached');
    });

    it.each([
      ['another 4xx', new NotFoundException()],
      ['gRPC NOT_FOUND', Object.assign(new Error('x'), { code: 5, details: '', metadata: {} })],
      ['a violated constraint', Object.assign(new Error('x'), { code: '23505' })],
    ])('lets pass as it is: %s', async (_what, error) => {
      const { environment, executeWith } = setUp({ value: 'cached' });

      expect(await errorOf(executeWith(error))).toBe(error);
      expect(environment.told).toEqual([]);
    });

    it("lets the caller's abort pass as it is", async () => {
      const { run, call } = setUp({ value: 'cached' });
      const work = new ManualWork();
      const result = track(run(work.run));

      call.abort('gone');
      work.fail(0, 'gone');
      await settle();

      expect(result).toEqual({ status: 'rejected', outcome: 'gone' });
    });

    it("answers 4xx and the caller's abort, where `on` names them", async () => {
      const notFound = setUp({ value: 'none', on: NotFoundException });
      const aborted = setUp({ value: 'none', on: (error: unknown) => error === 'gone' });
      aborted.call.abort('gone');

      expect(await notFound.executeWith(new NotFoundException())).toBe('none');
      expect(aborted.answer('gone')).toBe('none');
    });

    it('answers nothing else, when there is an `on`', async () => {
      const { executeWith } = setUp({ value: 'cached', on: [TypeError, RangeError] });

      expect(await errorOf(executeWith(boom))).toBe(boom);
      expect(await executeWith(new RangeError('x'))).toBe('cached');
    });

    it('leaves alone what skipOn names, also where `on` does', async () => {
      const all = setUp({ value: 'cached', skipOn: TypeError });
      const some = setUp({ value: 'cached', on: Error, skipOn: (error: unknown) => error === boom });

      expect(await errorOf(all.executeWith(new TypeError('x')))).toBeInstanceOf(TypeError);
      expect(await all.executeWith(boom)).toBe('cached');
      expect(await errorOf(some.executeWith(boom))).toBe(boom);
    });

    it('reports an `on` that throws, and goes by the default', async () => {
      const error = new Error('mine');
      const setting = {
        value: 'cached',
        on: () => {
          throw error;
        },
      };
      const { environment, executeWith } = setUp(setting);

      expect(await executeWith(boom)).toBe('cached');
      expect(await errorOf(executeWith(new NotFoundException()))).toBeInstanceOf(NotFoundException);
      expect(environment.reports[0]).toEqual({ place: 'Client.load, fallback on', error });
    });

    it('reports a skipOn that throws, and answers', async () => {
      const error = new Error('mine');
      const { environment, executeWith } = setUp({
        value: 'cached',
        skipOn: () => {
          throw error;
        },
      });

      expect(await executeWith(boom)).toBe('cached');
      expect(environment.reports).toEqual([{ place: 'Client.load, fallback skipOn', error }]);
    });
  });

  describe('a list', () => {
    const list = [
      { value: 'type', on: TypeError },
      { value: 'range', on: [RangeError], skipOn: (error: unknown) => (error as Error).message === 'skip' },
      { value: 'rest' },
      { value: 'never' },
    ];

    it('answers with the first whose `on` holds and whose skipOn does not', async () => {
      const { executeWith } = setUp(list);

      expect(await executeWith(new TypeError('x'))).toBe('type');
      expect(await executeWith(new RangeError('x'))).toBe('range');
      expect(await executeWith(new RangeError('skip'))).toBe('rest');
      expect(await executeWith(boom)).toBe('rest');
    });

    it('answers nothing, when none holds', async () => {
      const { executeWith } = setUp(list.slice(0, 2));

      expect(await errorOf(executeWith(boom))).toBe(boom);
    });

    it('does not go on to the next, when one fails', async () => {
      const failure = new Error('no cache');
      const { executeWith } = setUp([() => Promise.reject(failure), { value: 'rest' }]);

      expect(await errorOf(executeWith(boom))).toBe(failure);
    });
  });

  it('stays synchronous, when it is asked for a synchronous method', () => {
    const { answer } = setUp({ value: 'cached' });

    expect(answer(boom)).toBe('cached');
    expect(thrownBy(() => answer(new NotFoundException()))).toBeInstanceOf(NotFoundException);
  });
});
