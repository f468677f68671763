import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { HealthOptions } from './health.options.js';
import { expectingOptions } from '../../module/given-options.js';

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN, OPTIONS_TYPE, ASYNC_OPTIONS_TYPE } = expectingOptions(
  'ResilienceHealthModule',
  new ConfigurableModuleBuilder<HealthOptions>({ moduleName: 'ResilienceHealth' })
    .setClassMethodName('forRoot')
    .setFactoryMethodName('createHealthOptions')
    .build(),
);
