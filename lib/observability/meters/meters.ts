import { CALL_METERS } from './call-meters.js';
import { CLUSTER_METERS } from './cluster-meters.js';
import type { Meter } from './meter.js';
import { PROCESS_METERS } from './process-meters.js';
import { STATE_METERS } from './state-meters.js';

/** Every count and every level that there is to see, whoever shows it. */
export const METERS: readonly Meter[] = [...CALL_METERS, ...STATE_METERS, ...PROCESS_METERS, ...CLUSTER_METERS];
