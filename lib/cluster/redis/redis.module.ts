import { Module } from '@nestjs/common';
import { noOptions } from '../../module/given-options.js';
import { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } from './redis.module-definition.js';
import { RedisConnection } from './redis-connection.js';

/**
 * Lets the processes of an app share rate limits, `@RateLimit({ ..., scope: 'cluster' })`, by counting in Redis. Import it
 * once, beside `ResilienceModule`.
 *
 * @example
 * @Module({
 *   imports: [
 *     ResilienceModule.forRoot(),
 *     ResilienceRedisModule.forRoot({ url: 'redis://127.0.0.1:6379', prefix: 'shop' }),
 *   ],
 * })
 * export class AppModule {}
 *
 * @publicApi
 */
@Module({ providers: [noOptions('ResilienceRedisModule', MODULE_OPTIONS_TOKEN), RedisConnection] })
export class ResilienceRedisModule extends ConfigurableModuleClass {}
