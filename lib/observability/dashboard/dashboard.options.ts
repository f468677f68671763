import type { DynamicModule } from '@nestjs/common';
import { ResilienceConfigurationError } from '../../errors/configuration.error.js';
import { checkOptions, checkValue, isPlainObject, show, type Expectation } from '../../kernel/options/check.js';
import { guardList, type Guard } from '../guards.js';

/**
 * What the dashboard goes by at run time, and a factory may give.
 *
 * @publicApi
 */
export interface DashboardModuleOptions {
  /**
   * Origins, beside the app's own, whose pages may act: where a proxy puts another `Host` into requests, the origin that
   * browsers know, such as `https://admin.example.com`.
   *
   * @default []
   */
  allowedOrigins?: readonly string[];
}

/**
 * What makes up the routes of the dashboard; with `forRootAsync` it stands beside the factory, since Nest wants to know it
 * before any factory has run.
 *
 * @publicApi
 */
export interface DashboardModuleExtras {
  /** Where the page is, below the global prefix of the app. @default '/resilience' */
  path?: string;
  /**
   * Who may see it: guards as `@UseGuards` takes them, classes or instances, asked for each route. `[]` says that it is open
   * on purpose; left out it is open as well, but not with `NODE_ENV=production`: then the app does not start.
   */
  guards?: readonly Guard[];
  /**
   * Who may also act, and read the errors of upstreams: asked beside `guards`. `[]` lets in whoever may see the page.
   *
   * @default nobody: the page is read-only
   */
  actionGuards?: readonly Guard[];
  /** Decorators for the controller, such as `Public()` for a guard that is global. @default [] */
  decorators?: readonly ClassDecorator[];
  /** Modules that export what the guards need. @default [] */
  imports?: DynamicModule['imports'];
}

/** Gives the module's options, for `forRootAsync({ useClass })`. */
export interface DashboardOptionsFactory {
  createDashboardOptions(): DashboardModuleOptions | Promise<DashboardModuleOptions>;
}

export const DASHBOARD_DEFAULTS = { path: '/resilience' } as const;

export const PLACE = 'ResilienceDashboardModule.forRoot';

const aPath: Expectation = {
  expected: "a path such as '/resilience'",
  accepts: (value) => typeof value === 'string' && /^\/?[^\s?#*]*$/.test(value),
};
const someFunctions: Expectation = {
  expected: 'a list of class decorators',
  accepts: (value) => Array.isArray(value) && value.every((one) => typeof one === 'function'),
};
const aList: Expectation = { expected: 'a list of modules', accepts: (value) => Array.isArray(value) };
const origins: Expectation = {
  expected: "a list of origins such as 'https://admin.example.com'",
  accepts: (value) => Array.isArray(value) && value.every(isOrigin),
};
/** Routes are made before factories run. */
const beside: Expectation = {
  expected: 'nothing here: it belongs beside the factory, since routes are made before factories run',
  accepts: () => false,
};

/** What makes up the routes is needed before the app is made. @throws ResilienceConfigurationError */
export function checkExtras(extras: DashboardModuleExtras): void {
  const { path, guards, actionGuards, decorators, imports } = extras;
  const check = (option: string, value: unknown, expectation: Expectation): void => {
    if (value !== undefined) checkValue(PLACE, `option '${option}'`, value, expectation);
  };
  check('path', path, aPath);
  check('guards', guards, guardList);
  check('actionGuards', actionGuards, guardList);
  check('decorators', decorators, someFunctions);
  check('imports', imports, aList);
}

/**
 * @param guarded whether somebody has said who may see the page.
 * @throws ResilienceConfigurationError
 */
export function resolveDashboardOptions(options: unknown, guarded: boolean): Required<DashboardModuleOptions> {
  if (!isPlainObject(options))
    throw new ResilienceConfigurationError(PLACE, `expected an options object, got ${show(options)}`);
  checkOptions<DashboardModuleOptions & DashboardModuleExtras>(PLACE, options, {
    path: beside,
    guards: beside,
    actionGuards: beside,
    decorators: beside,
    imports: beside,
    allowedOrigins: origins,
  });
  if (!guarded && process.env.NODE_ENV === 'production') {
    throw new ResilienceConfigurationError(
      PLACE,
      "option 'guards': with NODE_ENV=production expected a list of guards, got undefined; [] says that everybody may see the page",
    );
  }
  const { allowedOrigins = [] } = options as DashboardModuleOptions;
  return { allowedOrigins };
}

function isOrigin(value: unknown): boolean {
  return typeof value === 'string' && URL.canParse(value) && new URL(value).origin === value;
}
