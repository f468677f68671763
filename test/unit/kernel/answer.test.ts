import { describe, expect, it } from 'vitest';
import { toAnswer } from '../../../lib/kernel/answer.js';
import { newCall } from '../../support/calls.js';
import { TestEnvironment } from '../../support/test-environment.js';

const environment = new TestEnvironment();
const error = new Error('no');

class Client {
  readonly name = 'client';
  load(...given: unknown[]): unknown[] {
    return [this.name, ...given];
  }
}

describe('toAnswer', () => {
  it('gives a value', () => {
    const value = { cached: true };

    expect(toAnswer({ value }, 0)(error, newCall(environment))).toBe(value);
    expect(toAnswer({}, 0)(error, newCall(environment))).toBeUndefined();
  });

  it('asks a handler, with the error and the call', () => {
    const call = newCall(environment, { instance: new Client(), args: [1, 2] });

    const seen = toAnswer({ use: (...given) => given }, 3)(error, call) as [unknown, typeof call];

    expect(seen).toEqual([error, call]);
    expect(seen[1]).toMatchObject({ className: 'Client', methodName: 'load', args: [1, 2], attempt: 1 });
    expect(seen[1].instance).toBeInstanceOf(Client);
    expect(seen[1].signal).toBeInstanceOf(AbortSignal);
  });

  it('calls a method of the same object, with the arguments and then the error', () => {
    const call = newCall(environment, { instance: new Client(), args: [1, 2] });

    expect(toAnswer({ use: 'load' }, 2)(error, call)).toEqual(['client', 1, 2, error]);
  });

  it('pads the arguments to the declared parameters, so that the error never lands in an optional one', () => {
    const call = newCall(environment, { instance: new Client(), args: [1] });

    expect(toAnswer({ use: 'load' }, 3)(error, call)).toEqual(['client', 1, undefined, undefined, error]);
  });

  it('drops no argument, when more came than were declared', () => {
    const call = newCall(environment, { instance: new Client(), args: [1, 2, 3] });

    expect(toAnswer({ use: 'load' }, 1)(error, call)).toEqual(['client', 1, 2, 3, error]);
  });
});
