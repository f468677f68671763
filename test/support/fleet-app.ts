import type { ModuleMetadata, Provider } from '@nestjs/common';
import { ResilienceModule, ResilienceService, RESILIENCE_CLOCK, type ResilienceModuleOptions } from 'nestjs-bulwark';
import { ResilienceEtcdModule } from 'nestjs-bulwark/etcd';
import type { EtcdSurroundings } from '../../lib/cluster/etcd/etcd-part.js';
import type { ElectionBoard } from '../../lib/cluster/etcd/election/election-board.js';
import { resolveEtcdOptions } from '../../lib/cluster/etcd/etcd-options-check.js';
import { StoreState } from '../../lib/cluster/etcd/store-state.js';
import type { ResilienceEtcdOptions } from '../../lib/cluster/etcd/etcd.options.js';
import { ELECTION_BOARD, ETCD_SURROUNDINGS } from '../../lib/cluster/etcd/etcd.tokens.js';
import type { Runtime } from '../../lib/module/runtime/runtime.js';
import { RUNTIME } from '../../lib/module/tokens.js';
import { initialise, type Compiled } from '../e2e/support/harness.js';
import type { FakeEtcd } from './fake-etcd.js';
import { VirtualClock } from './virtual-clock.js';

export interface FleetApp extends Compiled {
  /** The app's time; etcd's is real. */
  readonly clock: VirtualClock;
  /** What the parts have logged, as `level text`. */
  readonly lines: string[];
  readonly resilience: ResilienceService;
}

interface FleetAppInit {
  readonly etcd: FakeEtcd;
  readonly options?: Partial<ResilienceEtcdOptions>;
  readonly app?: ResilienceModuleOptions;
  readonly providers?: Provider[];
  readonly processName?: string;
}

/** An app in a fleet whose etcd is a fake, started; it is closed when the test is over. */
export async function fleetApp(init: FleetAppInit): Promise<FleetApp> {
  const { etcd, options = {}, app = {}, providers = [], processName = 'shop-1' } = init;
  const clock = new VirtualClock();
  const lines: string[] = [];
  const given = { hosts: 'http://127.0.0.1:1', prefix: 'app/', ...options };
  const metadata: ModuleMetadata = {
    imports: [ResilienceModule.forRoot(app), ResilienceEtcdModule.forRoot(given)],
    providers,
  };
  const factory = (runtime: Runtime, { rules }: ResilienceService, elections: ElectionBoard): EtcdSurroundings => ({
    client: etcd.client,
    options: resolveEtcdOptions(given),
    processName,
    runtime,
    rules,
    elections,
    store: new StoreState(runtime.events),
    log: (level, text) => lines.push(`${level} ${text}`),
  });
  const compiled = await initialise(metadata, (builder) =>
    builder
      .overrideProvider(RESILIENCE_CLOCK)
      .useValue(clock)
      .overrideProvider(ETCD_SURROUNDINGS)
      .useFactory({ factory, inject: [RUNTIME, ResilienceService, ELECTION_BOARD] }),
  );
  return { ...compiled, clock, lines, resilience: compiled.module.get(ResilienceService) };
}
