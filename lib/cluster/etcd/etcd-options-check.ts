import { aBoolean, aName, checkOptions, isPlainObject, oneOf, type Expectation } from '../../kernel/options/check.js';
import { connectionShape, keyPrefix } from './client/connection-check.js';
import type { ResolvedEtcdOptions } from './etcd-part.js';
import { ETCD_DEFAULTS, type ResilienceEtcdOptions } from './etcd.options.js';

const share: Expectation = {
  expected: 'a number above 0, at most 1',
  accepts: (value) => typeof value === 'number' && value > 0 && value <= 1,
};
const registration: Expectation = {
  expected: '{ service, address }, both texts',
  accepts: (value) => isPlainObject(value) && aName.accepts(value.service) && aName.accepts(value.address),
};

/** @throws ResilienceConfigurationError */
export function resolveEtcdOptions(options: unknown): ResolvedEtcdOptions {
  checkOptions<ResilienceEtcdOptions>('ResilienceEtcdModule.forRoot', options, {
    ...connectionShape,
    prefix: keyPrefix,
    rules: aBoolean,
    breakers: oneOf('off', 'advise', 'follow'),
    quorum: share,
    commands: aBoolean,
    discovery: registration,
    cacheDir: aName,
  });
  return { ...ETCD_DEFAULTS, ...options };
}
