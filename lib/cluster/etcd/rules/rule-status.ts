import type { RuleFault } from '../../../errors/rule-set.error.js';

/**
 * What a process says of the rules that it has found in etcd, as JSON at `status/<process>`. Readers let fields pass that
 * they do not know: processes of a later version may say more.
 *
 * @publicApi
 */
export interface EtcdRuleStatus {
  /** The revision of the set that it speaks of. */
  readonly revision: string;
  /** Whether it is in force here. `false` without {@link refused}: it is right, and this process is not in its share. */
  readonly applied: boolean;
  /** Why it was refused, as a whole: the first 100 reasons. */
  readonly refused?: readonly Pick<RuleFault, 'path' | 'message'>[];
  /** The paths of fields that this version does not know, and goes on without: the first 100. */
  readonly unknown?: readonly string[];
  /** The version of this package. */
  readonly version: string;
  readonly host: string;
  readonly pid: number;
  /** When, epoch ms. */
  readonly at: number;
}
