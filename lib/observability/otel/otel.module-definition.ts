import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { TelemetryModuleOptions } from './otel.options.js';

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN, OPTIONS_TYPE, ASYNC_OPTIONS_TYPE } =
  new ConfigurableModuleBuilder<TelemetryModuleOptions>({ moduleName: 'ResilienceTelemetry' })
    .setClassMethodName('forRoot')
    .setFactoryMethodName('createTelemetryOptions')
    .build();
