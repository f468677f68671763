import type { ResilienceRules } from '../../module/rules/resilience-rules.js';
import type { Level } from '../../module/event-log/log-line.js';
import type { Runtime } from '../../module/runtime/runtime.js';
import type { ClusterSource } from '../../read-model/cluster-source.js';
import type { EtcdClient } from './client/etcd-client.js';
import type { ElectionBoard } from './election/election-board.js';
import type { StoreState } from './store-state.js';
import type { ETCD_DEFAULTS, ResilienceEtcdOptions } from './etcd.options.js';

/** The options with their defaults. */
export type ResolvedEtcdOptions = ResilienceEtcdOptions &
  Required<Pick<ResilienceEtcdOptions, keyof typeof ETCD_DEFAULTS>>;

/** What the parts of an app's place in the fleet work with. */
export interface EtcdSurroundings {
  readonly client: EtcdClient;
  readonly options: ResolvedEtcdOptions;
  /** The name of this process in the fleet: host, process id and chance. No two that live at once share one. */
  readonly processName: string;
  readonly runtime: Runtime;
  readonly rules: ResilienceRules;
  /** Where methods that only a leader runs wait for the elections. */
  readonly elections: ElectionBoard;
  /** Whether etcd is heard of. */
  readonly store: StoreState;
  /** Writes a line of the app's log. */
  readonly log: (level: Level, text: string) => void;
}

/** One thing that a process does in its fleet. */
export interface EtcdPart {
  /** Begins. It never waits for etcd longer than one request may take, and a cluster that is away fails no start. */
  start(): Promise<void> | void;
  /** What there is to see of it. */
  report?(): Omit<ClusterSource, 'store'>;
  /** Others are to call this process no more: the app still serves, and is about to close. */
  leave?(): Promise<void>;
  /** Lets go of all that it has in etcd and of every timer; at most two requests long. */
  close(): Promise<void>;
}
