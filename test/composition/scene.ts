import { applyDecorators, Injectable, Logger, type Provider, type Type } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import {
  ResilienceModule,
  ResilienceService,
  Signal,
  type PlanEntry,
  type ResilienceEvent,
  type ResilienceModuleOptions,
} from 'nestjs-bulwark';
import { onTestFinished, vi } from 'vitest';

/** What can be put on a method. */
export type MethodGuard = Parameters<typeof applyDecorators>[number];

/** The guarded work of a service: it gets the number of its run, from 1, and the attempt's signal. */
export type Work = (run: number, signal: AbortSignal) => unknown;

/** A promise that is watched, so that a test can look at it between two ticks of the faked clock. */
export interface Watched<T = unknown> {
  settled: boolean;
  value: T | undefined;
  error: unknown;
  /** When it settled, on the monotonic clock. */
  at: number;
}

export function watch<T>(promise: PromiseLike<T>): Watched<T> {
  const watched: Watched<T> = { settled: false, value: undefined, error: undefined, at: NaN };
  promise.then(
    (value) => Object.assign(watched, { settled: true, value, at: performance.now() }),
    (error: unknown) => Object.assign(watched, { settled: true, error, at: performance.now() }),
  );
  return watched;
}

/** A promise that the test settles. */
export class Deferred<T = unknown> {
  resolve!: (value: T) => void;
  reject!: (error: unknown) => void;
  readonly promise = new Promise<T>((resolve, reject) => {
    this.resolve = resolve;
    this.reject = reject;
  });
}

/** Work that never ends, whatever its signal says. */
export const hang = (): Promise<never> => new Promise<never>(() => {});

/** Work that fails in the same way each time. */
export const fail = (message = 'down') => {
  return (): Promise<never> => Promise.reject(new Error(message));
};

/** Lets everything run that is ready. */
export const settle = (): Promise<unknown> => vi.advanceTimersByTimeAsync(0);

/** Lets `ms` of the faked clock pass. */
export const pass = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

export interface Surroundings {
  options?: ResilienceModuleOptions;
  providers?: Provider[];
}

/** An app with guarded classes, its events and its plan. */
export class Scene {
  /** What happened, as `policy type`. */
  readonly events: string[] = [];
  readonly log: ResilienceEvent[] = [];

  constructor(readonly module: TestingModule) {
    this.resilience.events$.subscribe((event) => {
      this.log.push(event);
      this.events.push(`${event.policy} ${event.type}`);
    });
  }

  get resilience(): ResilienceService {
    return this.module.get(ResilienceService);
  }

  get<T>(type: Type<T>): T {
    return this.module.get(type);
  }

  breaker(name = 'Service.call') {
    return this.resilience.circuitBreaker(name);
  }

  plan(methodName = 'call', className = 'Service'): PlanEntry | undefined {
    return this.resilience.plan().find((entry) => entry.className === className && entry.methodName === methodName);
  }

  /** The policies of a method, outermost first, as `plan()` shows them. */
  order(methodName = 'call', className = 'Service'): string[] {
    return (this.plan(methodName, className)?.policies ?? []).map(({ policy, options }) =>
      policy === 'timeout' ? `timeout.${Object.keys(options).join('+')}` : policy,
    );
  }
}

/** Starts an app with `providers`; it is closed when the test is over. */
export async function startApp(providers: Provider[], options: ResilienceModuleOptions = {}): Promise<Scene> {
  const module = await Test.createTestingModule({ imports: [ResilienceModule.forRoot(options)], providers }).compile();
  Logger.overrideLogger(false);
  await module.init();
  onTestFinished(() => module.close());
  return new Scene(module);
}

/** An app whose only service has one method under `guards`, written from the innermost to the outermost. */
export async function guard(
  guards: MethodGuard[],
  work: Work,
  options: ResilienceModuleOptions = {},
): Promise<Scene & { call(signal?: AbortSignal): Promise<unknown>; runs(): number }> {
  let runs = 0;

  @Injectable()
  class Service {
    @applyDecorators(...guards)
    async call(@Signal() signal?: AbortSignal): Promise<unknown> {
      return work(++runs, signal as AbortSignal);
    }
  }

  const scene = await startApp([Service], options);
  const service = scene.get(Service);
  return Object.assign(scene, { call: (signal?: AbortSignal) => service.call(signal), runs: () => runs });
}
