import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { RedisModuleOptions } from './redis.options.js';
import { expectingOptions } from '../../module/given-options.js';

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN, OPTIONS_TYPE, ASYNC_OPTIONS_TYPE } = expectingOptions(
  'ResilienceRedisModule',
  new ConfigurableModuleBuilder<RedisModuleOptions>({ moduleName: 'ResilienceRedis' })
    .setClassMethodName('forRoot')
    .setFactoryMethodName('createRedisOptions')
    .build(),
);
