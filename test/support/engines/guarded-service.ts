import { Injectable, type Type } from '@nestjs/common';
import type * as Library from 'nestjs-bulwark';
import { Observable } from 'rxjs';
import { textOf } from './describe.js';
import type { Policies } from './policy-set.js';
import type { RunsOfWork } from './runs-of-work.js';
import type { Gives, Script } from './script.js';

export interface GuardedService {
  call(key: string, priority: number, signal?: AbortSignal): unknown;
  inner(key: string, priority: number, signal?: AbortSignal): unknown;
}

/** What the compiler would write down as the type that the method gives. */
const RETURN_TYPES = { sync: String, promise: Promise, observable: Observable, iterable: Object, learned: Object };

/** What the guarded code can know of the call for which it runs. */
export function contextOf({ currentCall }: typeof Library, callContext: boolean): string {
  const call = callContext ? currentCall() : undefined;
  return call === undefined ? '' : `, attempt ${call.attempt}, ${call.timeLeft()} ms left`;
}

/** A class whose methods stand under the policies of a script, decorated by one engine. */
export function guardedService(
  library: typeof Library,
  { kind, gives, signal }: Script,
  policies: Policies,
  work: RunsOfWork,
  callContext: boolean,
): Type<GuardedService> {
  const given: Gives = kind === 'learned' ? gives : kind === 'sync' ? 'value' : kind;
  const begin = (method: string, args: unknown[], nested?: () => unknown): unknown => {
    const what = `${method}(${textOf(args.slice(0, 2))})${contextOf(library, callContext)}`;
    return work.begin(what, args[2] as AbortSignal | undefined, given, nested);
  };
  class Service {
    call(key: string, priority: number, ofAttempt?: AbortSignal): unknown {
      return begin('call', [key, priority, ofAttempt], () => this.inner(key, priority, ofAttempt));
    }
    inner(key: string, priority: number, ofAttempt?: AbortSignal): unknown {
      return begin('inner', [key, priority, ofAttempt]);
    }
    substitute(...args: unknown[]): unknown {
      return `method for ${String(args[0])}: ${textOf(args.at(-1))}`;
    }
  }
  for (const method of ['call', 'inner'] as const) {
    const { prototype } = Service;
    Reflect.defineMetadata('design:returntype', RETURN_TYPES[kind], prototype, method);
    if (signal) library.Signal()(prototype, method, 2);
    const descriptor = Object.getOwnPropertyDescriptor(prototype, method) as PropertyDescriptor;
    const decorators = [
      policies.fallback && library.Fallback(policies.fallback as never),
      policies.recover && library.Recover(policies.recover as never),
      library.Resilient('main'),
    ];
    for (const decorator of decorators) (decorator as MethodDecorator | undefined)?.(prototype, method, descriptor);
    Object.defineProperty(prototype, method, descriptor);
  }
  Injectable()(Service);
  return Service;
}
