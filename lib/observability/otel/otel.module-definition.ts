import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { TelemetryModuleOptions } from './otel.options.js';
import { expectingOptions } from '../../module/given-options.js';

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN, OPTIONS_TYPE, ASYNC_OPTIONS_TYPE } = expectingOptions(
  'ResilienceTelemetryModule',
  new ConfigurableModuleBuilder<TelemetryModuleOptions>({ moduleName: 'ResilienceTelemetry' })
    .setClassMethodName('forRoot')
    .setFactoryMethodName('createTelemetryOptions')
    .build(),
);
