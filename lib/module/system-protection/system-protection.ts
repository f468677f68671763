import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { ApplicationConfig, HttpAdapterHost } from '@nestjs/core';
import { Ingress } from '../../policies/system-protection/ingress.js';
import { parseSystemProtection } from '../../policies/system-protection/system-protection.options.js';
import { MODULE_OPTIONS_TOKEN, type ResilienceModuleOptions } from '../resilience.module-definition.js';
import type { Runtime } from '../runtime/runtime.js';
import { RUNTIME } from '../tokens.js';
import { EventLoopDelay } from './event-loop-delay.js';
import { HttpGate } from './http-gate.js';
import { httpServerOf } from '../http-server.js';
import { routePrefix } from './route-prefix.js';

/** Puts the gate before the app's HTTP server, if it has one and the options ask for it. */
@Injectable()
export class SystemProtection implements OnModuleInit {
  readonly #runtime: Runtime;
  readonly #options: ResilienceModuleOptions;
  readonly #host: HttpAdapterHost;
  readonly #config: ApplicationConfig;

  constructor(
    @Inject(RUNTIME) runtime: unknown,
    @Inject(MODULE_OPTIONS_TOKEN) options: ResilienceModuleOptions,
    @Inject(HttpAdapterHost) host: HttpAdapterHost,
    @Inject(ApplicationConfig) config: ApplicationConfig,
  ) {
    this.#runtime = runtime as Runtime;
    this.#options = options;
    this.#host = host;
    this.#config = config;
  }

  onModuleInit(): void {
    const { environment, lifecycle } = this.#runtime;
    const options = parseSystemProtection('ResilienceModule.forRoot.systemProtection', this.#options.systemProtection);
    const server = httpServerOf(this.#host);
    if (options === undefined || server === undefined || !environment.enabled) return;
    const loop = new EventLoopDelay();
    const ingress = new Ingress(options, environment, loop);
    const { httpAdapter } = this.#host;
    const release = new HttpGate(ingress, options, environment, routePrefix(this.#config), httpAdapter).guard(server);
    this.#runtime.ingress = ingress;
    lifecycle.onDispose(() => {
      release();
      loop.close();
    });
  }
}
