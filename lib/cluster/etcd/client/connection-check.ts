import { oneOfThese } from '../../../errors/near-miss.js';
import { createSecureContext } from 'node:tls';
import { Mistakes, ResilienceConfigurationError } from '../../../errors/configuration.error.js';
import { textOf } from '../../../kernel/error-text.js';
import { aName, isPlainObject, positiveMs, type Expectation } from '../../../kernel/options/check.js';
import type { EtcdConnection } from './etcd-connection.js';

/** What stands before an `@` would be part of the name of the host, and show in errors. */
const isAddress = (value: unknown): boolean => typeof value === 'string' && /^(https?:\/\/)?[^/\s@]+:\d+$/.test(value);

const addresses: Expectation = {
  expected: "an address such as 'http://127.0.0.1:2379', or a list of them; the user stands in 'auth'",
  accepts: (value) => isAddress(value) || (Array.isArray(value) && value.length > 0 && value.every(isAddress)),
};
/** What it holds is never shown: it is a secret. */
const secrets = (expected: string): Expectation => ({ expected, secret: true, accepts: isPlainObject });

/** What the options of a connection may be, but for what stands inside them: {@link checkConnection}. */
export const connectionShape = {
  hosts: addresses,
  auth: secrets('{ username, password }'),
  credentials: secrets('{ rootCertificate, privateKey?, certChain? }'),
  timeout: positiveMs,
};

const aBuffer: Expectation = { expected: 'a Buffer', accepts: (value) => Buffer.isBuffer(value) };

/** What stands inside the options that hold secrets. */
interface Field extends Expectation {
  readonly required: boolean;
}

const AUTH: Readonly<Record<string, Field>> = {
  username: { ...aName, required: true },
  password: { ...aName, required: true },
};
const CREDENTIALS: Readonly<Record<string, Field>> = {
  rootCertificate: { ...aBuffer, required: true },
  privateKey: { ...aBuffer, required: false },
  certChain: { ...aBuffer, required: false },
};

/**
 * What {@link connectionShape} cannot say: which host is meant has no default, though etcd3 would take a server of this
 * machine; and what is wrong inside a secret is said without showing it.
 *
 * @throws ResilienceConfigurationError
 */
export function checkConnection(place: string, { hosts, auth, credentials }: Partial<EtcdConnection>): void {
  const mistakes = new Mistakes();
  const wrong = (what: string, problem: string): void =>
    mistakes.add(new ResilienceConfigurationError(place, `option '${what}': ${problem}`));
  if (hosts === undefined) wrong('hosts', `expected ${addresses.expected}, got nothing`);
  if (auth !== undefined) checkSecrets('auth', auth, AUTH, wrong);
  if (credentials !== undefined) checkSecrets('credentials', credentials, CREDENTIALS, wrong);
  const addressed = [hosts ?? []].flat();
  const secure = addressed.filter((host) => host.startsWith('https://')).length;
  if (secure > 0 && secure < addressed.length) wrong('hosts', 'expected https:// at all of them or at none');
  if (secure === 0 && hosts !== undefined && credentials !== undefined)
    wrong('credentials', 'expected hosts that begin with https:// beside them: they are of no use without TLS');
  mistakes.throwAny(place);
  if (credentials !== undefined) checkPem(credentials, wrong);
  mistakes.throwAny(place);
}

type Say = (what: string, problem: string) => void;

function checkSecrets(option: string, given: object, fields: Readonly<Record<string, Field>>, wrong: Say): void {
  const known = Object.keys(fields);
  for (const key of Object.keys(given))
    if (!known.includes(key)) wrong(`${option}.${key}`, `is not known; ${oneOfThese(key, known)}`);
  for (const [key, field] of Object.entries(fields)) {
    const value = (given as Record<string, unknown>)[key];
    if (value === undefined ? field.required : !field.accepts(value))
      wrong(`${option}.${key}`, `expected ${field.expected}, got ${kind(value)}`);
  }
}

/** What a value is, without the value. */
function kind(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === '') return 'an empty one';
  if (value === null) return 'null';
  return `something of the type ${Array.isArray(value) ? 'array' : typeof value}`;
}

/** What etcd3 would throw as it stands, at the start. */
function checkPem(
  { rootCertificate, privateKey, certChain }: NonNullable<EtcdConnection['credentials']>,
  wrong: Say,
): void {
  if ((privateKey === undefined) !== (certChain === undefined)) {
    wrong('credentials', "expected 'privateKey' and 'certChain' together, got one of them");
    return;
  }
  try {
    createSecureContext({ ca: rootCertificate, key: privateKey, cert: certChain });
  } catch (error) {
    wrong('credentials', `expected a key and certificates as PEM; OpenSSL says: ${textOf(error)}`);
  }
}

export const keyPrefix: Expectation = {
  expected: "a text that ends with '/'",
  accepts: (value) => typeof value === 'string' && value.length > 1 && value.endsWith('/'),
};
