import { DataException } from '../../../data/port/errors.js';

/** What must still stand for a put: a leadership, by the key that it holds and the revision at which it began. */
export interface EtcdFence {
  readonly key: string;
  readonly createRevision: string;
}

/**
 * The leadership that `fence` named has ended: another process leads now, or none. Nothing was written, and the same put
 * would be refused again.
 *
 * @publicApi
 */
export class DataFencedException extends DataException {
  constructor(key: string, fence: EtcdFence) {
    super(
      'DATA_FENCED',
      `The data key ${JSON.stringify(key)} was not written: the leadership ${JSON.stringify(fence.key)} of revision ` +
        `${fence.createRevision} has ended`,
    );
  }
}
