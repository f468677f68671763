import { Module } from '@nestjs/common';
import { ConfigurableModuleClass } from './redis.module-definition.js';
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
@Module({ providers: [RedisConnection] })
export class ResilienceRedisModule extends ConfigurableModuleClass {}
