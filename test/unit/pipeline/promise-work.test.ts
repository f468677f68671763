import { Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { orGiven, promiseWork } from '../../../lib/pipeline/promise-work.js';
import { newCall } from '../../support/calls.js';
import { errorOf } from '../../support/settle.js';
import { TestEnvironment } from '../../support/test-environment.js';

const environment = new TestEnvironment();
const run = (body: () => unknown) => promiseWork(body)(newCall(environment));

describe('promiseWork', () => {
  it('gives the promise of the method itself', () => {
    const promise = Promise.resolve(1);

    expect(run(() => promise)).toBe(promise);
  });

  it('makes a promise of a value, of undefined and of a thenable', async () => {
    await expect(run(() => 'value')).resolves.toBe('value');
    await expect(run(() => undefined)).resolves.toBeUndefined();
    await expect(run(() => ({ then: (resolve: (value: string) => void) => resolve('later') }))).resolves.toBe('later');
  });

  it.each([
    [
      'an Observable',
      () => new Observable(),
      "(Observable<...>), or put it into the policy set as returns: 'observable'",
    ],
    [
      'an async iterable',
      () =>
        (async function* () {
          yield 1;
        })(),
      "(AsyncIterable<...>), or put it into the policy set as returns: 'asyncIterable'",
    ],
  ])('rejects %s with a TypeError that says to declare the return type', async (found, body, advice) => {
    const error = await errorOf(run(body));

    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toContain(`Client.load gave ${found}`);
    expect(error.message).toContain(advice);
  });
});

describe('a method that was called already', () => {
  it('gives what it has given, and is called for the attempts after that', () => {
    const attempt = newCall(environment);
    let called = 0;
    const body = orGiven(() => `call ${++called}`);
    attempt.rarely().given = { value: 'given' };

    expect([body(attempt), body(attempt), body(newCall(environment))]).toEqual(['given', 'call 1', 'call 2']);
  });

  it('may have given nothing', () => {
    const attempt = newCall(environment);
    attempt.rarely().given = { value: undefined };

    expect(orGiven(() => 'called')(attempt)).toBeUndefined();
  });
});

describe('a query builder', () => {
  it('is a promise, although it can be iterated too', async () => {
    const builder = {
      then: (resolve: (rows: string) => void) => resolve('rows'),
      async *[Symbol.asyncIterator]() {
        yield 'row';
      },
    };

    await expect(run(() => builder)).resolves.toBe('rows');
  });
});
