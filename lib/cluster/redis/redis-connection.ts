import { Inject, Injectable, Optional, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { ResilienceConfigurationError } from '../../errors/configuration.error.js';
import { noRuntime } from '../../module/no-runtime.js';
import { Runtime } from '../../module/runtime/runtime.js';
import { RUNTIME } from '../../module/tokens.js';
import { MODULE_OPTIONS_TOKEN } from './redis.module-definition.js';
import { resolveRedisOptions } from './redis.options.js';
import { RedisRateStore } from './redis-rate-store.js';

const PLACE = 'ResilienceRedisModule';

/** Gives the app its store, and connects it as long as the app runs. */
@Injectable()
export class RedisConnection implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #store: RedisRateStore;
  /** Takes it out of what there is to see. */
  readonly #unseen: () => void;

  /** @throws ResilienceConfigurationError */
  constructor(@Inject(MODULE_OPTIONS_TOKEN) options: unknown, @Optional() @Inject(RUNTIME) runtime?: unknown) {
    if (!Runtime.is(runtime)) throw noRuntime(PLACE, 'whose limits could count in Redis');
    const { environment } = runtime;
    if (environment.rateStore !== undefined)
      throw new ResilienceConfigurationError(
        PLACE,
        'is imported more than once; expected one forRoot() or forRootAsync() in an app',
      );
    this.#store = new RedisRateStore(resolveRedisOptions(options), environment);
    environment.rateStore = this.#store;
    const store = this.#store;
    this.#unseen = runtime.readModel.addCluster(() => ({
      store: { name: 'redis', up: store.up, errors: store.errors },
    }));
  }

  /** Not before all checks have passed: an app that does not start leaves no connection behind. */
  onApplicationBootstrap(): Promise<void> {
    return this.#store.open();
  }

  onApplicationShutdown(): Promise<void> {
    this.#unseen();
    return this.#store.close();
  }
}
