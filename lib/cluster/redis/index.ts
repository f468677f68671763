export type { RedisModuleOptions, RedisOptionsFactory } from './redis.options.js';

export { ResilienceRedisModule } from './redis.module.js';
