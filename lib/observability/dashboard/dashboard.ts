import { randomUUID } from 'node:crypto';
import type { Server } from 'node:http';
import { hostname } from 'node:os';
import {
  Inject,
  Injectable,
  Optional,
  type BeforeApplicationShutdown,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { FLEET_COMMANDS, type FleetCommands } from '../../module/fleet-commands.js';
import { ResilienceService } from '../../module/resilience.service.js';
import { packageVersion } from '../../module/runtime/package-version.js';
import { noRuntime } from '../../module/no-runtime.js';
import { Runtime } from '../../module/runtime/runtime.js';
import { RUNTIME } from '../../module/tokens.js';
import { ActionDesk } from './actions/action-desk.js';
import { operatorOf } from './actions/operator.js';
import { Audit } from './actions/audit.js';
import type { DashboardModuleOptions } from './dashboard.options.js';
import { DASHBOARD_OPTIONS, DASHBOARD_PAGE, DASHBOARD_PATH } from './dashboard.tokens.js';
import { ActionDoor } from './http/action-door.js';
import { EventStream } from './http/event-stream.js';
import { NEVER_KEPT, type Answer, type Exchange } from './http/exchange.js';
import { Hub } from './hub/hub.js';
import { PageFiles } from './page-files.js';
import type { DashboardState, ProcessInfo } from './protocol.js';
import { detailOf } from './views/instance-detail.js';

const NOT_BUILT: Answer = {
  status: 503,
  contentType: 'text/plain; charset=utf-8',
  cacheControl: NEVER_KEPT,
  body: 'The page is not part of this build; api/state has what it would show.\n',
};

/** What the routes of the dashboard answer, for all clients together. */
@Injectable()
export class Dashboard implements OnModuleInit, BeforeApplicationShutdown, OnApplicationShutdown {
  readonly #process: ProcessInfo;
  readonly #runtime: Runtime;
  readonly #service: ResilienceService;
  readonly #host: HttpAdapterHost;
  readonly #fleet: FleetCommands | undefined;
  readonly #files: PageFiles;
  readonly #audit: Audit;
  readonly #door: ActionDoor;
  readonly #desk: ActionDesk;
  #hub: Hub | undefined;
  #unwatch: (() => void) | undefined;

  /** @throws ResilienceConfigurationError */
  constructor(
    @Inject(DASHBOARD_OPTIONS) options: Required<DashboardModuleOptions>,
    @Inject(DASHBOARD_PATH) path: string,
    @Inject(DASHBOARD_PAGE) page: URL,
    @Inject(HttpAdapterHost) host: HttpAdapterHost,
    @Optional() @Inject(RUNTIME) runtime?: unknown,
    @Optional() @Inject(ResilienceService) service?: ResilienceService,
    @Optional() @Inject(FLEET_COMMANDS) fleet?: FleetCommands | null,
  ) {
    if (!Runtime.is(runtime) || service === undefined)
      throw noRuntime('ResilienceDashboardModule', 'whose policies could be shown');
    const { environment, events, instances } = runtime;
    const { clock } = environment;
    const id = randomUUID();
    this.#process = {
      id,
      host: hostname(),
      pid: process.pid,
      version: packageVersion(),
      startedAt: Math.round(clock.wallNow() - process.uptime() * 1_000),
    };
    this.#runtime = runtime;
    this.#service = service;
    this.#host = host;
    this.#fleet = fleet ?? undefined;
    this.#files = new PageFiles(page);
    this.#audit = new Audit(events, clock);
    this.#door = new ActionDoor(path, (by, status) => this.#desk.unheard(by, status));
    this.#desk = new ActionDesk({
      allowedOrigins: options.allowedOrigins,
      audit: this.#audit,
      door: this.#door,
      process: id,
      instances,
      fleet: this.#fleet,
    });
  }

  onModuleInit(): void {
    const { environment, lifecycle, instances, events, readModel } = this.#runtime;
    this.#hub = new Hub({
      model: readModel,
      events,
      clock: environment.clock,
      isDraining: () => lifecycle.draining,
      watchReleases: (listener) => instances.watchReleases(listener),
    });
    const adapter = this.#host.httpAdapter as HttpAdapterHost['httpAdapter'] | undefined;
    const server = adapter?.getHttpServer() as Server | undefined;
    if (typeof server?.prependListener === 'function') this.#unwatch = this.#door.watch(server);
  }

  /** The server waits for every answer that is under way: a stream would hold it up for ever. */
  beforeApplicationShutdown(): void {
    this.#hub?.endStreams();
  }

  onApplicationShutdown(): void {
    this.#hub?.close();
    this.#unwatch?.();
  }

  async page(exchange: Exchange): Promise<void> {
    exchange.answer((await this.#files.page(exchange.path)) ?? NOT_BUILT);
  }

  async file(exchange: Exchange, name: string): Promise<void> {
    const answer = await this.#files.file(name);
    if (answer === undefined) exchange.json(404, { statusCode: 404, message: 'Not Found' });
    else exchange.answer(answer);
  }

  state(exchange: Exchange, canAct: boolean): void {
    exchange.json(200, this.#stateFor(canAct));
  }

  stream(exchange: Exchange, canAct: boolean): void {
    const hub = this.#theHub();
    if (!hub.hasRoom) return exchange.json(503, { statusCode: 503, message: 'Service Unavailable' });
    if (exchange.incoming.method === 'HEAD') return exchange.json(200, {});
    const everything = (): string => JSON.stringify(this.#stateFor(canAct));
    // What is wrong with the app's policies is an error of this request, and no broken stream.
    const first = everything();
    const response = exchange.take();
    const leave = hub.join(new EventStream(response), everything, first);
    response.once('close', leave);
  }

  instance(exchange: Exchange, name: string, canAct: boolean): void {
    const hub = this.#theHub();
    const row = hub.row(name);
    if (row === undefined) {
      this.#audit.unknown(operatorOf(exchange.request), name);
      return exchange.json(404, { code: 'UNKNOWN_INSTANCE', message: 'there is no instance of this name' });
    }
    const { rules } = this.#service;
    exchange.json(200, detailOf(row, { runtime: this.#runtime, rules, hub, seesErrors: canAct }));
  }

  async act(exchange: Exchange, canAct: boolean): Promise<void> {
    await this.#desk.serve(exchange, canAct);
  }

  #stateFor(canAct: boolean): DashboardState {
    const process = this.#process;
    return { process, canAct, fleet: this.#fleet !== undefined, ...this.#theHub().state };
  }

  #theHub(): Hub {
    if (this.#hub === undefined) throw new Error('the dashboard was asked before the app has started');
    return this.#hub;
  }
}
