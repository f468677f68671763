import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { CarefulLogger } from '../event-log/careful-logger.js';
import { httpServerOf } from '../http-server.js';
import { MODULE_OPTIONS_TOKEN, type ResilienceModuleOptions } from '../resilience.module-definition.js';
import type { Runtime } from '../runtime/runtime.js';
import { RUNTIME } from '../tokens.js';
import { resolveDrain, type DrainOptions } from './drain.options.js';
import { HttpConnections } from './http-connections.js';

const PLACE = 'ResilienceService.drain';
/** How often it is looked whether all work has ended, ms. */
const LOOK_MS = 25;
/** What was cut has so long to be answered, ms. */
const ANSWER_MS = 100;

/**
 * Brings the work of the app to its end while all that it needs is there: Nest ends pools (`onModuleDestroy`) before it lets
 * go of what still runs, so this comes before `app.close()`.
 *
 * ```
 * normal service, readiness says no   nothing new waits or is retried        cut
 * |------------ delay --------------|------------- grace at most -----------|
 * ```
 */
@Injectable()
export class Drain implements OnModuleInit {
  readonly #runtime: Runtime;
  readonly #host: HttpAdapterHost;
  readonly #options: ResilienceModuleOptions;
  readonly #logger = new CarefulLogger();
  #connections: HttpConnections | undefined;
  #running: Promise<void> | undefined;

  constructor(
    @Inject(RUNTIME) runtime: unknown,
    @Inject(HttpAdapterHost) host: HttpAdapterHost,
    @Inject(MODULE_OPTIONS_TOKEN) options: ResilienceModuleOptions,
  ) {
    this.#runtime = runtime as Runtime;
    this.#host = host;
    this.#options = options;
  }

  onModuleInit(): void {
    const server = httpServerOf(this.#host);
    if (server !== undefined) this.#connections = new HttpConnections(server, this.#runtime.environment.clock);
  }

  /** What the app has set, or else the defaults. */
  get defaults(): Required<DrainOptions> {
    return resolveDrain(PLACE, this.#options.shutdown);
  }

  /** Whoever calls again waits for the first one. @throws ResilienceConfigurationError (as a rejection) */
  async run(given: DrainOptions = {}): Promise<void> {
    // What is wrong in it would be lost in the spread.
    resolveDrain(PLACE, given);
    const options = resolveDrain(PLACE, { ...this.#options.shutdown, ...given });
    await (this.#running ??= this.#drain(options));
  }

  async #drain({ delay, grace }: Required<DrainOptions>): Promise<void> {
    const { lifecycle } = this.#runtime;
    lifecycle.drain();
    this.#logger.write('log', `drains: service goes on for ${delay} ms, accepted work may take ${grace} ms after that`);
    await this.#wait(delay);
    lifecycle.refuseWaits();
    const connections = this.#connections;
    const late = this.#runtime.environment.clock.now() + grace;
    await connections?.stopListening();
    const ended = await this.#ended(connections, late);
    if (!ended) await this.#cut(connections, grace);
    // What has not become a request by now never does.
    await connections?.cut();
    connections?.release();
    if (ended) this.#logger.write('log', 'drained: all accepted work has ended');
  }

  /** Whether all work has ended in time. */
  async #ended(connections: HttpConnections | undefined, late: number): Promise<boolean> {
    const { clock } = this.#runtime.environment;
    for (;;) {
      const isBusy = await connections?.areBusy();
      if (isBusy !== true && !this.#isAtWork()) return true;
      if (clock.now() >= late) return false;
      await this.#wait(Math.min(LOOK_MS, Math.max(1, late - clock.now())));
    }
  }

  #isAtWork(): boolean {
    const { lifecycle, instances } = this.#runtime;
    return lifecycle.hasWaiters || instances.bulkheads().some(({ active, waiting }) => active + waiting > 0);
  }

  async #cut(connections: HttpConnections | undefined, grace: number): Promise<void> {
    this.#logger.write('warn', `work that was accepted still runs after ${grace} ms of grace: it is cut`);
    this.#runtime.lifecycle.dispose();
    connections?.endStreams();
    await this.#wait(ANSWER_MS);
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#runtime.environment.clock.setTimeout(resolve, ms);
    });
  }
}
