import { ConfigurableModuleBuilder, type CanActivate, type Provider, type Type } from '@nestjs/common';
import { isGuardClass, type Guard } from '../guards.js';
import { ACTION_GUARDS } from './access/permission.guard.js';
import { dashboardController } from './dashboard.controller.js';
import {
  checkExtras,
  DASHBOARD_DEFAULTS,
  resolveDashboardOptions,
  type DashboardModuleExtras,
  type DashboardModuleOptions,
} from './dashboard.options.js';
import { DASHBOARD_OPTIONS, DASHBOARD_PATH } from './dashboard.tokens.js';
import { expectingOptions } from '../../module/given-options.js';

const NO_EXTRAS: DashboardModuleExtras = {
  path: undefined,
  guards: undefined,
  actionGuards: undefined,
  decorators: undefined,
  imports: undefined,
};

/** The options as they were given. */
const GIVEN_OPTIONS = Symbol('the options of the dashboard, unchecked');

export const { ConfigurableModuleClass, OPTIONS_TYPE, ASYNC_OPTIONS_TYPE } = expectingOptions(
  'ResilienceDashboardModule',
  new ConfigurableModuleBuilder<DashboardModuleOptions>({ optionsInjectionToken: GIVEN_OPTIONS })
    .setClassMethodName('forRoot')
    .setFactoryMethodName('createDashboardOptions')
    .setExtras(NO_EXTRAS, (definition, extras) => {
      checkExtras(extras);
      const { path = DASHBOARD_DEFAULTS.path, guards, actionGuards, decorators = [], imports = [] } = extras;
      return {
        ...definition,
        imports: [...new Set([...(definition.imports ?? []), ...imports])],
        controllers: [dashboardController({ path, guards: guards ?? [], decorators })],
        providers: [
          ...(definition.providers ?? []),
          { provide: DASHBOARD_PATH, useValue: path },
          {
            provide: DASHBOARD_OPTIONS,
            inject: [GIVEN_OPTIONS],
            useFactory: (options: unknown) => resolveDashboardOptions(options, guards !== undefined),
          },
          ...actionGuardProviders(actionGuards),
        ],
      };
    })
    .build(),
  Object.keys(NO_EXTRAS),
);

/** Classes are made by Nest, with what they need; the guard that asks them may then be made for each request. */
function actionGuardProviders(guards: readonly Guard[] | undefined): Provider[] {
  const classes = [...new Set((guards ?? []).filter(isGuardClass))];
  return [
    ...classes,
    {
      provide: ACTION_GUARDS,
      inject: classes,
      useFactory: (...instances: CanActivate[]): readonly CanActivate[] | null => {
        const made = new Map<Guard, CanActivate>(classes.map((type: Type, at) => [type, instances[at] as CanActivate]));
        return guards?.map((guard) => made.get(guard) ?? (guard as CanActivate)) ?? null;
      },
    },
  ];
}
