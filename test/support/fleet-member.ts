import { ElectionBoard } from '../../lib/cluster/etcd/election/election-board.js';
import type { EtcdSurroundings } from '../../lib/cluster/etcd/etcd-part.js';
import { ETCD_DEFAULTS, type ResilienceEtcdOptions } from '../../lib/cluster/etcd/etcd.options.js';
import { StoreState } from '../../lib/cluster/etcd/store-state.js';
import type { ResilienceEvent } from '../../lib/events/resilience-event.js';
import type { Options } from '../../lib/kernel/options/options.js';
import { Runtime } from '../../lib/module/runtime/runtime.js';
import type { ResilienceRules } from '../../lib/module/rules/resilience-rules.js';
import type { Breaker } from '../../lib/policies/circuit-breaker/breaker.js';
import { CIRCUIT_BREAKERS } from '../../lib/policies/circuit-breaker/circuit-breaker.kind.js';
import {
  CIRCUIT_BREAKER_DEFAULTS,
  type CircuitBreakerOptions,
} from '../../lib/policies/circuit-breaker/circuit-breaker.options.js';
import type { NamedBreakers } from '../../lib/policies/circuit-breaker/named-breakers.js';
import { FakeEtcd } from './fake-etcd.js';
import { VirtualClock } from './virtual-clock.js';

/** One process of a fleet, without an app: its breakers, and what the parts of the etcd module work with. */
export class FleetMember {
  readonly clock = new VirtualClock();
  readonly runtime: Runtime;
  readonly surroundings: EtcdSurroundings;
  readonly told: ResilienceEvent[] = [];
  readonly lines: string[] = [];

  constructor(
    readonly etcd = new FakeEtcd(),
    options: Partial<ResilienceEtcdOptions> = {},
    random: () => number = () => 0,
  ) {
    this.runtime = new Runtime(false, { clock: this.clock, random });
    this.runtime.events.subscribe((event) => this.told.push(event));
    this.surroundings = {
      client: etcd.client,
      options: { ...ETCD_DEFAULTS, hosts: 'http://127.0.0.1:2379', ...options },
      processName: 'me',
      runtime: this.runtime,
      rules: {} as ResilienceRules,
      elections: new ElectionBoard(),
      store: new StoreState(this.runtime.events),
      log: (level, text) => this.lines.push(`${level}: ${text}`),
    };
  }

  /** The breaker of a name, made at the first request. */
  breaker(name = 'payments', options: CircuitBreakerOptions = {}): Breaker {
    return this.named(name, options).breaker() as Breaker;
  }

  named(name: string, options: CircuitBreakerOptions = {}): NamedBreakers {
    const given = { ...CIRCUIT_BREAKER_DEFAULTS, resetJitter: 0, ...options } as unknown as Options;
    return this.runtime.instances.state(CIRCUIT_BREAKERS, name, given);
  }

  /** Makes calls under a breaker that fail; those that it refuses are made too. */
  async fail(breaker: Breaker, calls = 1): Promise<void> {
    for (let call = 0; call < calls; call++)
      await breaker.fire(() => Promise.reject(new Error('boom'))).catch(() => undefined);
  }

  async succeed(breaker: Breaker, calls = 1): Promise<void> {
    for (let call = 0; call < calls; call++) await breaker.fire(() => Promise.resolve()).catch(() => undefined);
  }
}
