import type { Server } from 'node:http';
import type { INestApplication, LoggerService, ModuleMetadata, NestApplicationOptions } from '@nestjs/common';
import type { AbstractHttpAdapter } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Test, type TestingModule, type TestingModuleBuilder } from '@nestjs/testing';
import { onTestFinished } from 'vitest';

export interface Platform {
  readonly platform: string;
  readonly adapter: () => AbstractHttpAdapter;
}

/** Both HTTP platforms, for `describe.each`. */
export const PLATFORMS: readonly Platform[] = [
  { platform: 'Express', adapter: () => new ExpressAdapter() },
  { platform: 'Fastify', adapter: () => new FastifyAdapter() },
];

export interface LogLine {
  readonly level: string;
  readonly text: string;
  readonly rest: readonly unknown[];
}

/** Keeps what is logged, so that tests can read it and the terminal stays quiet. */
export class RecordingLogger implements LoggerService {
  readonly lines: LogLine[] = [];

  readonly log = this.#recorder('log');
  readonly error = this.#recorder('error');
  readonly warn = this.#recorder('warn');
  readonly debug = this.#recorder('debug');
  readonly verbose = this.#recorder('verbose');
  readonly fatal = this.#recorder('fatal');

  /** The texts of one level, those of this library only. */
  ofBulwark(level: string): string[] {
    return this.lines.filter((line) => line.level === level && line.rest.includes('Bulwark')).map(({ text }) => text);
  }

  #recorder(level: string) {
    return (message: unknown, ...rest: unknown[]): void => {
      this.lines.push({ level, text: String(message), rest });
    };
  }
}

export interface Compiled {
  readonly module: TestingModule;
  readonly log: RecordingLogger;
}

export interface Running {
  readonly app: INestApplication;
  readonly url: string;
  readonly log: RecordingLogger;
}

export interface StartOptions {
  readonly adapter?: () => AbstractHttpAdapter;
  /** Overrides providers before the module is compiled. */
  readonly override?: (builder: TestingModuleBuilder) => TestingModuleBuilder;
  /** Sets the app up before it listens. */
  readonly prepare?: (app: INestApplication) => unknown;
  readonly nest?: NestApplicationOptions;
}

/** A module that is compiled and not yet initialised. */
export async function compile(
  metadata: ModuleMetadata,
  override: StartOptions['override'] = (builder) => builder,
): Promise<Compiled> {
  const log = new RecordingLogger();
  const module = await override(Test.createTestingModule(metadata).setLogger(log)).compile();
  onTestFinished(() => module.close());
  return { module, log };
}

/** A module whose start-up hooks have run, without HTTP. */
export async function initialise(metadata: ModuleMetadata, override?: StartOptions['override']): Promise<Compiled> {
  const compiled = await compile(metadata, override);
  await compiled.module.init();
  return compiled;
}

/** An app that listens on an ephemeral port of the loopback and is closed when the test is over. */
export async function start(
  metadata: ModuleMetadata,
  { adapter = () => new ExpressAdapter(), override = (builder) => builder, prepare, nest = {} }: StartOptions = {},
): Promise<Running> {
  const log = new RecordingLogger();
  const module = await override(Test.createTestingModule(metadata).setLogger(log)).compile();
  const app = module.createNestApplication(adapter(), nest);
  onTestFinished(() => {
    // An answer that never comes must not keep the test from ending.
    (app.getHttpServer() as Server).closeAllConnections();
    return app.close();
  });
  await prepare?.(app);
  await app.listen(0, '127.0.0.1');
  return { app, url: await app.getUrl(), log };
}

/** What a module that must not start fails with. */
export async function startUpError(metadata: ModuleMetadata): Promise<Error> {
  const builder = Test.createTestingModule(metadata).setLogger(new RecordingLogger());
  try {
    const module = await builder.compile();
    onTestFinished(() => module.close());
    await module.init();
  } catch (error) {
    return error as Error;
  }
  throw new Error('the module started; expected a start-up error');
}

/** A promise with its own ends in hand. */
export function deferred<T = void>(): {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (error: unknown) => void;
} {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}

/** Polls until `holds` is true. */
export async function until(holds: () => boolean, what = 'the condition', withinMs = 30_000): Promise<void> {
  const end = performance.now() + withinMs;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`${what} did not come true within ${withinMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** What a promise is rejected with. */
export async function rejection(promise: PromiseLike<unknown>): Promise<Error & Record<string, unknown>> {
  try {
    await promise;
  } catch (error) {
    return error as Error & Record<string, unknown>;
  }
  throw new Error('the promise was resolved; expected a rejection');
}

/** A promise that stays pending for ever. */
export const never = (): Promise<never> => new Promise(() => undefined);
