import {
  ConfigurableModuleBuilder,
  Inject,
  Module,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { CarefulLogger } from '../../module/event-log/careful-logger.js';
import { FLEET_COMMANDS, type FleetCommands } from '../../module/fleet-commands.js';
import { ResilienceService } from '../../module/resilience.service.js';
import { noRuntime } from '../../module/no-runtime.js';
import { Runtime } from '../../module/runtime/runtime.js';
import { staticInstancesOf } from '../../module/start-up/instances-of.js';
import { RUNTIME } from '../../module/tokens.js';
import type { ClusterSource } from '../../read-model/cluster-source.js';
import { EtcdClient } from './client/etcd-client.js';
import { ElectionBoard } from './election/election-board.js';
import { offerBoard } from './election/offer-board.js';
import { resolveEtcdOptions } from './etcd-options-check.js';
import type { EtcdPart, EtcdSurroundings } from './etcd-part.js';
import { partsOf } from './etcd-parts.js';
import type { ResilienceEtcdOptions } from './etcd.options.js';
import { EtcdService } from './etcd.service.js';
import { ELECTION_BOARD, ETCD_SURROUNDINGS } from './etcd.tokens.js';
import { StoreState } from './store-state.js';
import { expectingOptions, noOptions } from '../../module/given-options.js';

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } = expectingOptions(
  'ResilienceEtcdModule',
  new ConfigurableModuleBuilder<ResilienceEtcdOptions>({
    moduleName: 'ResilienceEtcd',
  })
    .setClassMethodName('forRoot')
    .setFactoryMethodName('createResilienceEtcdOptions')
    .setExtras({}, (definition) => ({ ...definition, global: true }))
    .build(),
);

/**
 * Lets the processes of an app share rules, commands and what their breakers know, through a cluster of etcd. No guarded
 * call ever waits for it; while it is away each process decides by what it knows.
 *
 * @example
 * imports: [
 *   ResilienceModule.forRoot({ policies }),
 *   ResilienceEtcdModule.forRoot({ hosts: ['http://127.0.0.1:2379'], rules: true, commands: true, breakers: 'advise' }),
 * ]
 *
 * @publicApi
 */
@Module({
  providers: [
    noOptions('ResilienceEtcdModule', MODULE_OPTIONS_TOKEN),
    { provide: ELECTION_BOARD, useFactory: () => new ElectionBoard() },
    {
      provide: ETCD_SURROUNDINGS,
      inject: [
        MODULE_OPTIONS_TOKEN,
        ELECTION_BOARD,
        { token: RUNTIME, optional: true },
        { token: ResilienceService, optional: true },
      ],
      useFactory: (
        given: unknown,
        elections: ElectionBoard,
        runtime?: unknown,
        service?: ResilienceService,
      ): EtcdSurroundings => {
        if (!Runtime.is(runtime) || service === undefined)
          throw noRuntime('ResilienceEtcdModule', 'whose policies could follow the cluster');
        const options = resolveEtcdOptions(given);
        const logger = new CarefulLogger();
        return {
          client: new EtcdClient(options),
          options,
          processName: `${hostname()}-${process.pid}-${randomBytes(3).toString('hex')}`,
          runtime,
          rules: service.rules,
          elections,
          store: new StoreState(runtime.events),
          log: (level, text) => logger.write(level, text),
        };
      },
    },
    EtcdService,
    {
      provide: FLEET_COMMANDS,
      inject: [ETCD_SURROUNDINGS, EtcdService],
      useFactory: ({ options }: EtcdSurroundings, etcd: EtcdService): FleetCommands | null =>
        options.commands ? etcd : null,
    },
  ],
  exports: [ELECTION_BOARD, ETCD_SURROUNDINGS, EtcdService, FLEET_COMMANDS],
})
export class ResilienceEtcdModule
  extends ConfigurableModuleClass
  implements OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown
{
  readonly #surroundings: EtcdSurroundings;
  readonly #container: ModulesContainer;
  readonly #parts: readonly EtcdPart[];
  /** Takes it out of what there is to see. */
  readonly #unseen: () => void;

  constructor(@Inject(ETCD_SURROUNDINGS) surroundings: unknown, @Inject(ModulesContainer) container: ModulesContainer) {
    super();
    this.#container = container;
    this.#surroundings = surroundings as EtcdSurroundings;
    this.#parts = partsOf(this.#surroundings);
    const { client, store, runtime } = this.#surroundings;
    this.#unseen = runtime.readModel.addCluster(() => {
      const seen: ClusterSource = { store: { name: 'etcd', up: store.up, errors: client.errors } };
      return this.#parts.reduce((all, part) => ({ ...all, ...part.report?.() }), seen);
    });
  }

  async onApplicationBootstrap(): Promise<void> {
    for (const [instance] of staticInstancesOf(this.#container)) offerBoard(instance, this.#surroundings.elections);
    await Promise.all(this.#parts.map(async (part) => part.start()));
  }

  async beforeApplicationShutdown(): Promise<void> {
    await Promise.allSettled(this.#parts.map(async (part) => part.leave?.()));
  }

  async onApplicationShutdown(): Promise<void> {
    this.#unseen();
    await Promise.allSettled(this.#parts.map((part) => part.close()));
    this.#surroundings.client.close();
  }
}
