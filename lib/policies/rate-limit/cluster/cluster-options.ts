import { ResilienceConfigurationError } from '../../../errors/configuration.error.js';
import { show } from '../../../kernel/options/check.js';

/** The options of which a cluster makes something else. */
interface OfCluster {
  readonly scope?: string;
  readonly onLimit?: 'reject' | 'queue';
  readonly warmUp?: object;
  readonly onStoreError?: string;
}

/** @throws ResilienceConfigurationError for what a limit of a cluster cannot do, or only such a limit can. */
export function checkCluster(place: string, { scope, warmUp, onStoreError }: OfCluster): void {
  if (scope === 'cluster' && warmUp !== undefined) {
    throw new ResilienceConfigurationError(
      place,
      `option 'warmUp': expected none beside scope: 'cluster', got ${show(warmUp)}`,
    );
  }
  if (scope !== 'cluster' && onStoreError !== undefined) {
    throw new ResilienceConfigurationError(
      place,
      `option 'onStoreError': expected scope: 'cluster' beside it, got scope: ${show(scope)}`,
    );
  }
}

/** Part of a limit that may begin at once: a pause of all processes of 100 ms loses nothing of 1,000/s. */
const BURST = 0.1;

/**
 * How much a limit of a cluster lets through at once where nobody says so. A whole limit would be a tenth too much in
 * ten times `per`; much less than this would be too little for what processes are granted at once.
 */
export function clusterBurst(limit: number, onLimit: OfCluster['onLimit']): number {
  return Math.max(onLimit === 'queue' ? 1 : Math.min(limit, 10), BURST * limit);
}
