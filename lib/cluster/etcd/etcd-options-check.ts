import {
  aBoolean,
  aName,
  checkOptions,
  either,
  isPlainObject,
  nonNegativeMs,
  oneOf,
  positiveInteger,
  positiveMs,
  type Expectation,
} from '../../kernel/options/check.js';
import type { ResolvedEtcdOptions } from './etcd-part.js';
import { ETCD_DEFAULTS, type ResilienceEtcdOptions } from './etcd.options.js';

const isAddress = (value: unknown): boolean => typeof value === 'string' && /^(https?:\/\/)?[^/\s]+:\d+$/.test(value);

const addresses: Expectation = {
  expected: "an address such as 'http://127.0.0.1:2379', or a list of them",
  accepts: (value) => isAddress(value) || (Array.isArray(value) && value.length > 0 && value.every(isAddress)),
};
/** What it holds is never shown: it is a secret. */
const secrets = (expected: string, keys: readonly string[]): Expectation => ({
  expected,
  accepts: (value) => isPlainObject(value) && keys.every((key) => value[key] !== undefined),
});
const share: Expectation = {
  expected: 'a number above 0, at most 1',
  accepts: (value) => typeof value === 'number' && value > 0 && value <= 1,
};
/** It is one step of a key. */
export const isServiceName = (value: unknown): value is string => aName.accepts(value) && !String(value).includes('/');
const registration: Expectation = {
  expected: "{ service, address, drain? }: a name without '/', a text, and ms",
  accepts: (value) =>
    isPlainObject(value) &&
    isServiceName(value.service) &&
    aName.accepts(value.address) &&
    (value.drain === undefined || nonNegativeMs.accepts(value.drain)),
};
const spread: Expectation = {
  expected: `{ spread: ${nonNegativeMs.expected} }`,
  accepts: (value) => isPlainObject(value) && Object.keys(value).length === 1 && nonNegativeMs.accepts(value.spread),
};
const keyPrefix: Expectation = {
  expected: "a text that ends with '/'",
  accepts: (value) => typeof value === 'string' && value.length > 1 && value.endsWith('/'),
};

/** @throws ResilienceConfigurationError */
export function resolveEtcdOptions(options: unknown): ResolvedEtcdOptions {
  checkOptions<ResilienceEtcdOptions>('ResilienceEtcdModule.forRoot', options, {
    hosts: addresses,
    auth: secrets('{ username, password }', ['username', 'password']),
    credentials: secrets('{ rootCertificate, privateKey?, certChain? }', ['rootCertificate']),
    timeout: positiveMs,
    prefix: keyPrefix,
    rules: either(aBoolean, spread),
    breakers: oneOf('off', 'advise', 'follow'),
    quorum: share,
    commands: aBoolean,
    discovery: registration,
    cacheDir: aName,
    ttl: positiveInteger,
  });
  return { ...ETCD_DEFAULTS, ...options };
}
