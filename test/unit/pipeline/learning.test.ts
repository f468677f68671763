import { EventEmitter } from 'node:events';
import { Readable } from 'node:stream';
import { Observable, Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { newCall } from '../../support/calls.js';
import { TestEnvironment } from '../../support/test-environment.js';
import { describeGiven, EarlyAttempt, kindTaughtBy, mayTeach, type Lesson } from '../../../lib/pipeline/learning.js';

const ASKED: Lesson = { byClassAlone: false, thenableAlone: false, returns: undefined };
const BY_CLASS: Lesson = { ...ASKED, byClassAlone: true };
const THENABLE: Lesson = { ...ASKED, thenableAlone: true };

async function* items() {
  yield 1;
}
/** A query builder: it does something when it is awaited, and has more than that to offer. */
const builder = { then: () => undefined, where: () => undefined };
const callable = Object.assign(() => undefined, { then: () => undefined });
const stream = Readable.from([1]);
const emitter = Object.assign(new EventEmitter(), { [Symbol.asyncIterator]: items });
const webStream = new ReadableStream();

describe('what a method gives', () => {
  it.each([
    ['a promise', Promise.resolve(), 'promise', 'promise'],
    ['a thenable', builder, 'promise', undefined],
    ['a function with a then', callable, 'promise', undefined],
    ['an Observable', new Observable(), 'observable', 'observable'],
    ['a Subject', new Subject(), 'observable', undefined],
    ['an async iterable', items(), 'asyncIterable', undefined],
    ['a stream of Node', stream, undefined, undefined],
    ['an event emitter', emitter, undefined, undefined],
    ['a stream of the web', webStream, undefined, undefined],
    ['an object', {}, undefined, undefined],
    ['a list', [1], undefined, undefined],
    ['null', null, undefined, undefined],
    ['nothing', undefined, undefined, undefined],
    ['a text', 'text', undefined, undefined],
    ['a function', () => undefined, undefined, undefined],
  ])('%s makes it a method of kind %s; where only the class is decorated: %s', (_, value, asked, byClass) => {
    expect(kindTaughtBy(value, ASKED)).toBe(asked);
    expect(kindTaughtBy(value, BY_CLASS)).toBe(byClass);
  });

  it('counts as what its set says, where only the class is decorated', () => {
    expect(kindTaughtBy(builder, { ...BY_CLASS, returns: 'promise' })).toBe('promise');
    expect(kindTaughtBy(builder, { ...BY_CLASS, returns: 'observable' })).toBeUndefined();
    expect(kindTaughtBy(new Subject(), { ...BY_CLASS, returns: 'observable' })).toBe('observable');
    expect(kindTaughtBy(new Subject(), { ...BY_CLASS, returns: 'promise' })).toBeUndefined();
    expect(kindTaughtBy(items(), { ...BY_CLASS, returns: 'asyncIterable' })).toBe('asyncIterable');
    expect(kindTaughtBy(stream, { ...BY_CLASS, returns: 'asyncIterable' })).toBe('asyncIterable');
    expect(kindTaughtBy(stream, { ...ASKED, returns: 'asyncIterable' })).toBe('asyncIterable');
  });

  it('can only be a thenable, where the declaration leaves nothing else', () => {
    expect(kindTaughtBy(builder, THENABLE)).toBe('promise');
    expect(kindTaughtBy(Promise.resolve(), THENABLE)).toBe('promise');
    expect(kindTaughtBy(new Observable(), THENABLE)).toBeUndefined();
    expect(kindTaughtBy(items(), THENABLE)).toBeUndefined();
    expect(kindTaughtBy(new Observable(), { ...THENABLE, byClassAlone: true })).toBe('observable');
  });

  it.each([
    [Promise.resolve(), true],
    [builder, true],
    [new Observable(), true],
    [items(), true],
    [stream, true],
    [{}, false],
    [5, false],
    [undefined, false],
  ])('%s may teach something: %s', (value, may) => {
    expect(mayTeach(value)).toBe(may);
  });

  it.each([
    [undefined, 'undefined'],
    [null, 'null'],
    [5, 'a number'],
    ['text', 'a string'],
    [() => 1, 'a function'],
    [builder, 'a thenable that is no native promise'],
    [new Subject(), 'a Subject'],
    [stream, 'a stream of Node'],
    [emitter, 'an event emitter'],
    [webStream, 'a stream of the web'],
    [items(), 'an async iterable'],
    [[1], 'an array'],
    [{}, 'an object'],
  ])('%s is described as %s', (value, text) => {
    expect(describeGiven(value)).toBe(text);
  });
});

describe('an attempt that has begun early', () => {
  it('is taken once', () => {
    const attempt = newCall(new TestEnvironment());
    const early = new EarlyAttempt(attempt);

    expect([early.take(), early.take()]).toEqual([attempt, undefined]);
  });
});
