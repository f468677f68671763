import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { MetricsModuleExtras, MetricsModuleOptions } from './metrics.options.js';
import { expectingOptions } from '../../module/given-options.js';

const NO_EXTRAS: MetricsModuleExtras = { path: undefined, guards: undefined, imports: undefined };

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN, OPTIONS_TYPE, ASYNC_OPTIONS_TYPE } = expectingOptions(
  'ResilienceMetricsModule',
  new ConfigurableModuleBuilder<MetricsModuleOptions>({ moduleName: 'ResilienceMetrics' })
    .setClassMethodName('forRoot')
    .setFactoryMethodName('createMetricsOptions')
    .setExtras<MetricsModuleExtras>(NO_EXTRAS, (definition) => definition)
    .build(),
  Object.keys(NO_EXTRAS),
);
