import type { DynamicModule, ForwardReference, Type } from '@nestjs/common';
import type { OpenMetricsContentType, PrometheusContentType, Registry } from 'prom-client';
import { ResilienceConfigurationError } from '../../errors/configuration.error.js';
import { aBoolean, checkOptions, type Expectation } from '../../kernel/options/check.js';
import { guardList, type Guard } from '../guards.js';

/** A registry of prom-client, for either of its formats. */
export type MetricsRegistry = Registry<PrometheusContentType> | Registry<OpenMetricsContentType>;

/**
 * What is measured, and where it can be seen.
 *
 * @publicApi
 */
export interface MetricsModuleOptions {
  /**
   * The registry of prom-client that the metrics go to; one app each.
   * @default one of the module's own
   */
  registry?: MetricsRegistry;
  /**
   * The boundaries of the buckets of durations, seconds: from 1 to 100 numbers above 0, ascending.
   * @default [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]
   */
  buckets?: readonly number[];
  /** Whether prom-client's metrics of the process and of Node are collected, too. @default false */
  defaultMetrics?: boolean;
}

/** Where the metrics can be seen, and by whom: it stands beside `useFactory` in `forRootAsync`. */
export interface MetricsModuleExtras {
  /**
   * The path of the route that a scrape asks for, under the app's global prefix and of no version; `false`: there is none.
   * @default '/metrics'; false where a registry is given
   */
  path?: string | false;
  /** Classes, or instances, that protect the route, beside the app's global guards. @default none: it is open */
  guards?: readonly Guard[];
  /** What the guards inject. */
  imports?: readonly (Type | DynamicModule | Promise<DynamicModule> | ForwardReference)[];
}

/** Gives the module's options, for `forRootAsync({ useClass })`. */
export interface MetricsOptionsFactory {
  createMetricsOptions(): MetricsModuleOptions | Promise<MetricsModuleOptions>;
}

export const DEFAULT_PATH = '/metrics';
const PLACE = 'ResilienceMetricsModule.forRoot';
const MOST_BUCKETS = 100;

const aRegistry: Expectation = {
  expected: 'a Registry of prom-client',
  accepts: (value) =>
    typeof value === 'object' &&
    value !== null &&
    ['metrics', 'registerMetric', 'removeSingleMetric'].every(
      (method) => typeof (value as Record<string, unknown>)[method] === 'function',
    ),
};

const boundaries: Expectation = {
  expected: `from 1 to ${MOST_BUCKETS} numbers of seconds above 0, ascending`,
  accepts: (value) =>
    Array.isArray(value) &&
    value.length > 0 &&
    value.length <= MOST_BUCKETS &&
    value.every((one, at) => Number.isFinite(one) && one > (at === 0 ? 0 : (value[at - 1] as number))),
};

const aPath: Expectation = {
  expected: "a path that begins with '/', or false",
  accepts: (value) => value === false || (typeof value === 'string' && /^\/./.test(value)),
};

const modules: Expectation = { expected: 'a list of modules', accepts: Array.isArray };

/** Routes are made before the options are there. */
const beside: Expectation = { expected: 'nothing here: it stands beside useFactory', accepts: () => false };

/** @throws ResilienceConfigurationError */
export function checkMetricsOptions(options: unknown): MetricsModuleOptions {
  checkOptions<MetricsModuleOptions & MetricsModuleExtras>(PLACE, options, {
    registry: aRegistry,
    buckets: boundaries,
    defaultMetrics: aBoolean,
    path: beside,
    guards: beside,
    imports: beside,
  });
  return options;
}

/** @throws ResilienceConfigurationError */
export function checkMetricsExtras({ path, guards, imports }: MetricsModuleExtras): void {
  checkOptions<MetricsModuleExtras>(
    PLACE,
    { path, guards, imports },
    { path: aPath, guards: guardList, imports: modules },
  );
}

/** One registry cannot tell apps apart. */
export function registryTaken(name: string): ResilienceConfigurationError {
  return new ResilienceConfigurationError(
    PLACE,
    `option 'registry': ${name} is registered in it already; expected a registry of its own for each app`,
  );
}
