import { describeValue } from '../../../data/port/describe-value.js';
import { DataKeyException } from '../../../data/port/errors.js';
import type { EtcdFence } from './data-fenced.exception.js';

const LARGEST_REVISION = 2n ** 63n - 1n;

/** Whether a text can be a revision of etcd. */
export function isRevision(text: string): boolean {
  return /^[1-9]\d{0,18}$/.test(text) && BigInt(text) <= LARGEST_REVISION;
}

/**
 * Checks what a caller gave as `fence`.
 *
 * @throws DataKeyException
 */
export function checkFence(key: string, fence: unknown): asserts fence is EtcdFence | undefined {
  if (fence === undefined) return;
  const { key: name, createRevision } = (fence ?? {}) as Partial<Record<keyof EtcdFence, unknown>>;
  const isFence = typeof name === 'string' && name !== '' && typeof createRevision === 'string';
  if (isFence && isRevision(createRevision)) return;
  throw new DataKeyException(
    `fence for the data key ${describeValue(key)} is ${describeValue(fence)}; ` +
      'expected { key, createRevision } of a leadership',
  );
}
