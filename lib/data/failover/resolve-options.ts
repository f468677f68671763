import { resolve } from 'node:path';
import { ResilienceConfigurationError } from '../../errors/configuration.error.js';
import { parseCircuitBreaker } from '../../policies/circuit-breaker/circuit-breaker.options.js';
import { LEASE_RULE } from '../file/file-options.js';
import type { OptionRule } from '../port/option-checks.js';
import { checkOptions } from '../port/option-checks.js';
import type {
  FailoverBreakerOptions,
  FailoverDataOptions,
  FailoverMirror,
  FailoverNode,
  FailoverQueueOptions,
  FailoverStandby,
} from './failover-options.js';
import { nodeProblem } from './node-source.js';

/** Checked, with every default in its place. */
export interface ResolvedFailoverOptions {
  readonly primary: FailoverNode;
  readonly standbys: readonly ResolvedStandby[];
  readonly reads: 'primary' | 'fallback' | { readonly maxStaleness: number };
  readonly timeout: number;
  readonly tombstones: number;
  readonly breaker: FailoverBreakerOptions;
  /** Undefined: writes are rejected. */
  readonly queue:
    { readonly path: string; readonly concurrency: number; readonly lease: number | undefined } | undefined;
}

/** A standby, and what messages call it. */
export interface ResolvedStandby {
  readonly name: string;
  readonly kind: 'replica' | 'mirror';
  readonly node: FailoverNode;
  readonly maxPendingBytes: number;
}

const PLACE = 'failoverData';
const LONGEST_DELAY = 2 ** 31 - 1;
const TIMEOUT_MS = 2_000;
/** Shorter, so that a write is acknowledged within a second while the primary hangs. */
const TIMEOUT_BEFORE_QUEUE_MS = 500;
const TOMBSTONES_MS = 24 * 60 * 60 * 1_000;
const CONCURRENCY = 8;
const MAX_PENDING_BYTES = 16 * 1024 * 1024;

const aTime: OptionRule = {
  expected: `a number of milliseconds above 0 and at most ${LONGEST_DELAY}`,
  accepts: (value) => typeof value === 'number' && value > 0 && value <= LONGEST_DELAY,
};
const aCount: OptionRule = {
  expected: 'a whole number of at least 1',
  accepts: (value) => Number.isSafeInteger(value) && (value as number) >= 1,
};
const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;
const anything: OptionRule = { expected: 'anything', accepts: () => true };

/** @throws ResilienceConfigurationError */
export function resolveFailoverOptions(options: FailoverDataOptions): ResolvedFailoverOptions {
  checkOptions<Record<keyof FailoverDataOptions, unknown>>(PLACE, options, {
    primary: { expected: 'a recipe or a ReplicableDataService', accepts: isObject },
    standbys: optional({ expected: 'a list of { replica } and { mirror }', accepts: (value) => Array.isArray(value) }),
    reads: optional({ expected: "'primary', 'fallback' or { maxStaleness: ms above 0 }", accepts: isReads }),
    writes: optional({
      expected: "'reject' or 'queue'",
      accepts: (value) => value === 'reject' || value === 'queue',
    }),
    queue: optional({ expected: '{ path } of the folder for queued writes', accepts: isObject }),
    timeout: optional(aTime),
    tombstones: optional({ expected: 'a number of milliseconds above 0', accepts: (value) => Number(value) > 0 }),
    breaker: optional({ expected: 'an object with trip, resetTimeout', accepts: isObject }),
  });
  const { writes = 'reject', reads = 'primary', breaker = {}, timeout } = options;
  checkNode("option 'primary'", options.primary);
  const standbys = (options.standbys ?? []).map(resolveStandby);
  checkReads(reads, standbys);
  checkBreaker(breaker);
  return Object.freeze({
    primary: options.primary,
    standbys,
    reads: typeof reads === 'string' ? reads : { maxStaleness: reads.maxStaleness },
    timeout: timeout ?? (writes === 'queue' ? TIMEOUT_BEFORE_QUEUE_MS : TIMEOUT_MS),
    tombstones: options.tombstones ?? TOMBSTONES_MS,
    breaker: { ...breaker },
    queue: resolveQueue(writes, options.queue),
  });
}

function resolveStandby(standby: FailoverStandby, index: number): ResolvedStandby {
  const name = `standbys[${index}]`;
  const place = `${PLACE}, ${name}`;
  checkOptions<Record<'replica' | 'mirror' | 'maxPendingBytes', unknown>>(place, standby, {
    replica: anything,
    mirror: anything,
    maxPendingBytes: optional(aCount),
  });
  const kind = standby.replica === undefined ? 'mirror' : 'replica';
  const node = standby.replica ?? standby.mirror;
  if (node === undefined || (standby.replica !== undefined && standby.mirror !== undefined)) {
    throw new ResilienceConfigurationError(place, "expected one of 'replica' and 'mirror'");
  }
  if (kind === 'replica' && 'maxPendingBytes' in standby) {
    throw new ResilienceConfigurationError(
      place,
      "option 'maxPendingBytes' belongs to a mirror; a replica has no copies",
    );
  }
  checkNode(`${name}.${kind}`, node);
  return { name, kind, node, maxPendingBytes: (standby as FailoverMirror).maxPendingBytes ?? MAX_PENDING_BYTES };
}

function checkNode(what: string, node: unknown): void {
  const problem = nodeProblem(node);
  if (problem !== undefined) throw new ResilienceConfigurationError(PLACE, `${what} ${problem}`);
}

function checkReads(reads: unknown, standbys: readonly ResolvedStandby[]): void {
  if (reads === 'fallback' && standbys.length === 0) {
    throw new ResilienceConfigurationError(PLACE, "option 'reads' is 'fallback'; expected at least one standby");
  }
  if (isObject(reads) && !standbys.some(({ kind }) => kind === 'replica')) {
    throw new ResilienceConfigurationError(
      PLACE,
      "option 'reads' is { maxStaleness }; expected at least one replica, since no other standby can be measured",
    );
  }
}

function checkBreaker(breaker: FailoverBreakerOptions): void {
  checkOptions<FailoverBreakerOptions>(`${PLACE}, breaker`, breaker, { trip: anything, resetTimeout: anything });
  parseCircuitBreaker(`${PLACE}, breaker`, breaker);
}

function resolveQueue(writes: unknown, queue: FailoverQueueOptions | undefined): ResolvedFailoverOptions['queue'] {
  if (writes !== 'queue') {
    if (queue === undefined) return undefined;
    throw new ResilienceConfigurationError(PLACE, "option 'queue' is given; expected writes: 'queue' beside it");
  }
  if (queue === undefined) {
    throw new ResilienceConfigurationError(
      PLACE,
      "option 'writes' is 'queue'; expected queue: { path } beside it, a folder on a disk that outlives the process",
    );
  }
  checkOptions<FailoverQueueOptions>(`${PLACE}, queue`, queue, {
    path: {
      expected: 'the path of a folder, a non-empty string without NUL',
      accepts: (value) => typeof value === 'string' && value !== '' && !value.includes('\0'),
    },
    concurrency: optional(aCount),
    lease: LEASE_RULE,
  });
  const { path, concurrency = CONCURRENCY, lease } = queue;
  return { path: resolve(path), concurrency, lease };
}

function isReads(value: unknown): boolean {
  if (value === 'primary' || value === 'fallback') return true;
  if (!isObject(value) || Object.keys(value).some((key) => key !== 'maxStaleness')) return false;
  return aTime.accepts((value as { maxStaleness?: unknown }).maxStaleness);
}

function optional(rule: OptionRule): OptionRule {
  return { expected: rule.expected, accepts: (value) => value === undefined || rule.accepts(value) };
}
