import { ResilienceConfigurationError } from '../../../errors/configuration.error.js';
import { isPlainObject, positiveMs, type Expectation } from '../../../kernel/options/check.js';

/** What stands before an `@` would be part of the name of the host, and show in errors. */
const isAddress = (value: unknown): boolean => typeof value === 'string' && /^(https?:\/\/)?[^/\s@]+:\d+$/.test(value);

const addresses: Expectation = {
  expected: "an address such as 'http://127.0.0.1:2379', or a list of them; the user stands in 'auth'",
  accepts: (value) => isAddress(value) || (Array.isArray(value) && value.length > 0 && value.every(isAddress)),
};
/** What it holds is never shown: it is a secret. */
const secrets = (expected: string, keys: readonly string[]): Expectation => ({
  expected,
  secret: true,
  accepts: (value) => isPlainObject(value) && keys.every((key) => value[key] !== undefined),
});

/** What the options of a connection may be. */
export const connectionShape = {
  hosts: addresses,
  auth: secrets('{ username, password }', ['username', 'password']),
  credentials: secrets('{ rootCertificate, privateKey?, certChain? }', ['rootCertificate']),
  timeout: positiveMs,
};

/** etcd3 would take a server of this machine. @throws ResilienceConfigurationError */
export function requireHosts(place: string, { hosts }: { readonly hosts?: unknown }): void {
  if (hosts !== undefined) return;
  throw new ResilienceConfigurationError(place, `option 'hosts': expected ${addresses.expected}, got nothing`);
}

export const keyPrefix: Expectation = {
  expected: "a text that ends with '/'",
  accepts: (value) => typeof value === 'string' && value.length > 1 && value.endsWith('/'),
};
