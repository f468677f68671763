import {
  aBoolean,
  aName,
  checkOptions,
  either,
  isPlainObject,
  nonNegativeMs,
  oneOf,
  positiveInteger,
  type Expectation,
} from '../../kernel/options/check.js';
import { connectionShape, keyPrefix, checkConnection } from './client/connection-check.js';
import type { ResolvedEtcdOptions } from './etcd-part.js';
import { ETCD_DEFAULTS, type ResilienceEtcdOptions } from './etcd.options.js';

const share: Expectation = {
  expected: 'a number above 0, at most 1',
  accepts: (value) => typeof value === 'number' && value > 0 && value <= 1,
};
/** It is one step of a key. */
export const isServiceName = (value: unknown): value is string => aName.accepts(value) && !String(value).includes('/');
const registration: Expectation = {
  expected: "{ service, address, drain? } and nothing else: a name without '/', a text, and ms",
  accepts: (value) =>
    isPlainObject(value) &&
    Object.keys(value).every((key) => ['service', 'address', 'drain'].includes(key)) &&
    isServiceName(value.service) &&
    aName.accepts(value.address) &&
    (value.drain === undefined || nonNegativeMs.accepts(value.drain)),
};
const spread: Expectation = {
  expected: `{ spread: ${nonNegativeMs.expected} }`,
  accepts: (value) => isPlainObject(value) && Object.keys(value).length === 1 && nonNegativeMs.accepts(value.spread),
};

/** @throws ResilienceConfigurationError */
export function resolveEtcdOptions(options: unknown): ResolvedEtcdOptions {
  checkOptions<ResilienceEtcdOptions>('ResilienceEtcdModule.forRoot', options, {
    ...connectionShape,
    prefix: keyPrefix,
    rules: either(aBoolean, spread),
    breakers: oneOf('off', 'advise', 'follow'),
    quorum: share,
    commands: aBoolean,
    discovery: registration,
    cacheDir: aName,
    ttl: positiveInteger,
  });
  checkConnection('ResilienceEtcdModule.forRoot', options);
  return { ...ETCD_DEFAULTS, ...options };
}
