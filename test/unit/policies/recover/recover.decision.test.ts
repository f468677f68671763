import { BadGatewayException, HttpException, NotFoundException } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { CircuitOpenException } from '../../../../lib/errors/circuit-open.exception.js';
import { RateLimitExceededException } from '../../../../lib/errors/rate-limit-exceeded.exception.js';
import { UnsubscribedError } from '../../../../lib/kernel/call-info.js';
import type { RecoverOptions } from '../../../../lib/policies/recover/recover.options.js';
import { RecoverDecision } from '../../../../lib/policies/recover/recover.decision.js';
import { method, underDecision, type Given } from '../../../support/calls.js';
import { errorOf, settle, thrownBy, track } from '../../../support/settle.js';
import { TestEnvironment } from '../../../support/test-environment.js';

const init = { policy: 'p', instanceName: 'i', message: 'm' };
const boom = new Error('boom');

class Client {
  sorry(...given: unknown[]): unknown {
    return ['sorry', ...given];
  }
}

interface Settings extends Given {
  http?: boolean;
  parameterCount?: number;
}

function setUp(options: RecoverOptions = {}, { http = false, parameterCount = 0, ...given }: Settings = {}) {
  const environment = new TestEnvironment();
  const policy = new RecoverDecision('Client.load', options, { parameterCount, http }, environment);
  return { environment, ...underDecision(policy, environment, { instance: new Client(), ...given }) };
}

describe('RecoverDecision', () => {
  it("gives the method's own value, when it succeeds", async () => {
    const { environment, run } = setUp({ value: 'sorry' });

    await expect(run(method(() => 'value'))).resolves.toBe('value');
    expect([...environment.told, ...environment.recoveries]).toEqual([]);
  });

  it.each([
    ['an error', boom],
    ['a string', 'boom'],
    ['undefined', undefined],
    ['null', null],
    ['a 4xx, away from HTTP', new NotFoundException()],
    ['a refusal', new CircuitOpenException(init)],
  ])('lets nothing escape: %s', async (_what, error) => {
    expect(await setUp().executeWith(error)).toBeUndefined();
  });

  it("catches the caller's abort", async () => {
    const { run, call } = setUp({ value: 'sorry' });
    call.abort('gone');

    const result = await run(method(() => 'value'));

    expect(result).toBe('sorry');
  });

  it.each([
    ['a value', { value: 'sorry' }, 'sorry'],
    ['a handler', { use: () => 'sorry' }, 'sorry'],
    ['a handler that gives a promise', { use: () => Promise.resolve('sorry') }, 'sorry'],
    ['a method', { use: 'sorry' }, ['sorry', boom]],
  ])('answers with %s', async (_form, options, expected) => {
    expect(await setUp(options as RecoverOptions).executeWith(boom)).toEqual(expected);
  });

  it('hands the error after every declared parameter to a method, and with the call to a handler', async () => {
    const byMethod = setUp({ use: 'sorry' }, { args: [1], parameterCount: 2 });
    const byHandler = setUp({ use: (...given) => given }, { args: [1] });

    expect(await byMethod.executeWith(boom)).toEqual(['sorry', 1, undefined, boom]);
    expect(await byHandler.executeWith(boom)).toEqual([boom, byHandler.call]);
  });

  it('logs the error and tells an event', async () => {
    const { environment, executeWith } = setUp();

    await executeWith(boom);

    expect(environment.recoveries).toEqual([{ place: 'Client.load', error: boom }]);
    expect(environment.told).toEqual([
      { type: 'recovered', name: 'Client.load', policy: 'recover', error: boom, at: environment.clock.wallNow() },
    ]);
  });

  it('logs nothing with log: false, and tells an event all the same', async () => {
    const { environment, executeWith } = setUp({ log: false });

    await executeWith(boom);

    expect(environment.recoveries).toEqual([]);
    expect(environment.of('recovered')).toHaveLength(1);
  });

  describe('when its own handler fails', () => {
    const failure = new Error('no words');
    const thenable = { then: (_: unknown, reject: (error: Error) => void) => reject(failure) };

    it.each<[string, () => unknown]>([
      [
        'throws',
        () => {
          throw failure;
        },
      ],
      ['rejects', () => Promise.reject(failure)],
      ['gives a thenable that rejects, as query builders do', () => thenable],
    ])('gives undefined and logs the failure: it %s', async (_how, use) => {
      const { environment, executeWith } = setUp({ use });

      expect(await executeWith(boom)).toBeUndefined();
      expect(environment.recoveries.map(({ error }) => error)).toEqual([boom, failure]);
    });
  });

  it('lets a stream end whose consumer has left', async () => {
    const { environment, executeWith } = setUp({ value: 'sorry', on: () => true });
    const left = new UnsubscribedError();

    expect(await errorOf(executeWith(left))).toBe(left);
    expect([...environment.told, ...environment.recoveries]).toEqual([]);
  });

  it('works where nobody hears of it', async () => {
    const environment = new TestEnvironment(false);
    const policy = new RecoverDecision('Client.load', { value: 1 }, { parameterCount: 0, http: false }, environment);

    expect(await underDecision(policy, environment, {}).executeWith(boom)).toBe(1);
    expect(environment.told).toEqual([]);
    expect(environment.recoveries).toHaveLength(1);
  });

  it('is work of the call, as long as its handler is at it', async () => {
    let answer = (_: unknown): void => undefined;
    const { call, executeWith } = setUp({ use: () => new Promise((resolve) => (answer = resolve)) });
    const result = track(executeWith(boom));
    await settle();
    expect([result.status, call.goesOn]).toEqual(['pending', true]);
    answer('sorry');
    await settle();

    expect([result.outcome, call.goesOn]).toEqual(['sorry', false]);
  });

  it('gives undefined and logs, when what its handler gives cannot be looked at', async () => {
    const trap = Object.defineProperty({}, 'then', {
      get: () => {
        throw new Error('no look');
      },
    });
    const { environment, executeWith } = setUp({ use: () => trap });

    expect(await executeWith(boom)).toBeUndefined();
    expect(environment.recoveries).toMatchObject([
      { place: 'Client.load', error: boom },
      { place: 'Client.load, the handler of @Recover', error: { message: 'no look' } },
    ]);
  });

  it('gives an object as it is', async () => {
    const value = { stands: 'in' };

    expect(await setUp({ value }).executeWith(boom)).toBe(value);
    expect(setUp({ value }).answer(boom)).toBe(value);
  });

  it('catches what a promise rejects with that stands in at once', async () => {
    const failure = new Error('no words');
    const { environment, answer } = setUp({ use: () => Promise.reject(failure) });

    await expect(answer(boom)).resolves.toBeUndefined();
    expect(environment.recoveries.map(({ error }) => error)).toEqual([boom, failure]);
  });

  describe('`on`', () => {
    it('names what is caught; the rest escapes as it is', async () => {
      const { environment, executeWith } = setUp({ value: 'sorry', on: [TypeError, (error) => error === 'gone'] });

      expect(await executeWith(new TypeError('x'))).toBe('sorry');
      expect(await executeWith('gone')).toBe('sorry');
      expect(await errorOf(executeWith(boom))).toBe(boom);
      expect(environment.recoveries).toHaveLength(2);
    });

    it('is reported, when it throws, and everything is caught', async () => {
      const error = new Error('mine');
      const { environment, executeWith } = setUp({
        value: 'sorry',
        on: () => {
          throw error;
        },
      });

      expect(await executeWith(boom)).toBe('sorry');
      expect(environment.reports).toEqual([{ place: 'Client.load, recover on', error }]);
    });
  });

  describe('on an HTTP handler', () => {
    it.each([new NotFoundException(), new HttpException('teapot', 418), new RateLimitExceededException(init)])(
      'lets an HttpException below 500 through: %s',
      async (error) => {
        const { environment, executeWith } = setUp({ value: 'sorry' }, { http: true });

        expect(await errorOf(executeWith(error))).toBe(error);
        expect([...environment.told, ...environment.recoveries]).toEqual([]);
      },
    );

    it.each([
      boom,
      new BadGatewayException(),
      new CircuitOpenException(init),
      Object.assign(new Error('an upstream said so'), { status: 404 }),
    ])('catches everything else: %s', async (error) => {
      expect(await setUp({ value: 'sorry' }, { http: true }).executeWith(error)).toBe('sorry');
    });

    it('catches an HttpException below 500, where `on` names it', async () => {
      const { executeWith } = setUp({ value: 'sorry', on: NotFoundException }, { http: true });

      expect(await executeWith(new NotFoundException())).toBe('sorry');
    });

    it('goes by the default, when `on` throws', async () => {
      const { executeWith } = setUp(
        {
          value: 'sorry',
          on: () => {
            throw boom;
          },
        },
        { http: true },
      );

      expect(await errorOf(executeWith(new NotFoundException()))).toBeInstanceOf(NotFoundException);
    });
  });

  it('stays synchronous, when it is asked for a synchronous method', () => {
    const { answer } = setUp({ value: 'sorry' });
    const strict = setUp({ on: TypeError });

    expect(answer(boom)).toBe('sorry');
    expect(thrownBy(() => strict.answer(boom))).toBe(boom);
  });
});
