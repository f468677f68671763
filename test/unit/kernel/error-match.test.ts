import { describe, expect, it } from 'vitest';
import { ResilienceException } from '../../../lib/errors/resilience.exception.js';
import { TimeoutException } from '../../../lib/errors/timeout.exception.js';
import { isErrorMatch, toMatcher, type ErrorMatch } from '../../../lib/kernel/error-match.js';
import { newCall } from '../../support/calls.js';
import { TestEnvironment } from '../../support/test-environment.js';

class Down extends Error {}
class VeryDown extends Down {}
class Other extends Error {}
abstract class Base extends Error {}
class Concrete extends Base {}
class NotAnError {}

const call = newCall(new TestEnvironment());
const matches = (match: ErrorMatch, error: unknown) => toMatcher(match)(error, call);

describe('toMatcher', () => {
  it('matches a class and its subclasses, and nothing else', () => {
    expect(matches(Down, new Down())).toBe(true);
    expect(matches(Down, new VeryDown())).toBe(true);
    expect(matches(VeryDown, new Down())).toBe(false);
    expect(matches(Down, new Other())).toBe(false);
    expect(matches(Down, 'Down')).toBe(false);
  });

  it('matches an abstract class', () => {
    const ours = ResilienceException as unknown as ErrorMatch;
    const timeout = new TimeoutException({ policy: 'timeout', instanceName: 'i', message: 'm' });

    expect(matches(Base, new Concrete())).toBe(true);
    expect(matches(ours, timeout)).toBe(true);
    expect(matches(ours, new Error('x'))).toBe(false);
  });

  it('matches the built-in classes, and a class that is no error', () => {
    expect(matches(Error, new Down())).toBe(true);
    expect(matches(TypeError, new TypeError('x'))).toBe(true);
    expect(matches(DOMException, new DOMException('x'))).toBe(true);
    expect(matches(NotAnError, new NotAnError())).toBe(true);
  });

  it('matches a class that a compiler turned into a function', () => {
    function Old(this: { message: string }): void {
      this.message = 'old';
    }
    Old.prototype = Object.create(Error.prototype) as object;
    const error = Reflect.construct(Old, []) as object;

    expect(matches(Old as unknown as ErrorMatch, error)).toBe(true);
    expect(matches(Old as unknown as ErrorMatch, new Down())).toBe(false);
  });

  it('asks a predicate, whether an arrow or a function', () => {
    function isGone(error: unknown): boolean {
      return error === 'gone';
    }

    expect(matches((error) => error === 'gone', 'gone')).toBe(true);
    expect(matches(isGone, 'gone')).toBe(true);
    expect(matches(isGone.bind(undefined), 'gone')).toBe(true);
    expect(matches(isGone, 'here')).toBe(false);
  });

  it('hands the error and the call to a predicate', () => {
    const seen: unknown[] = [];

    toMatcher((error, asked) => seen.push(error, asked) > 0)('gone', call);

    expect(seen).toEqual(['gone', call]);
  });

  it('matches any of a list, in which classes and predicates may stand together', () => {
    const list: ErrorMatch = [Down, (error) => error === 'gone', Other];

    expect([new VeryDown(), 'gone', new Other()].map((error) => matches(list, error))).toEqual([true, true, true]);
    expect(matches(list, new Error('x'))).toBe(false);
  });

  it('matches nothing with an empty list', () => {
    expect(matches([], new Error('x'))).toBe(false);
  });
});

describe('isErrorMatch', () => {
  it('accepts classes, predicates and lists of them', () => {
    expect([Down, () => true, [Down, () => true]].every(isErrorMatch)).toBe(true);
  });

  it('accepts nothing else', () => {
    expect(['Down', new Down(), [Down, 'Other'], {}, null, undefined, 404].some(isErrorMatch)).toBe(false);
  });
});
