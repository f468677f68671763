import { readFile } from 'node:fs/promises';

/** How a connection is encrypted. */
export interface TlsRequest {
  /**
   * - `prefer`: as `require`, but in clear text where the server offers nothing else;
   * - `require`: whoever answers is trusted;
   * - `verify-ca`: the certificate must be signed by an authority that is trusted;
   * - `verify-full`: it must also name the host.
   */
  readonly mode: 'prefer' | 'require' | 'verify-ca' | 'verify-full';
  /** A file with the authorities to trust, in PEM; undefined: those of Node. */
  readonly rootCertificates: string | undefined;
}

/** What the options of Node's `tls.connect` and of both drivers have in common. */
export interface TlsMaterial {
  readonly ca: string | undefined;
  readonly rejectUnauthorized: boolean;
}

/** `on`: encrypted, and how it is checked is said elsewhere, or as strictly as can be. */
type Mode = TlsRequest['mode'] | 'disable' | 'on';

/** The words of PostgreSQL and of MySQL. */
const MODES = new Map<string, Mode>([
  ['disable', 'disable'],
  ['disabled', 'disable'],
  ['allow', 'prefer'],
  ['prefer', 'prefer'],
  ['preferred', 'prefer'],
  ['require', 'require'],
  ['required', 'require'],
  ['no-verify', 'require'],
  ['verify-ca', 'verify-ca'],
  ['verify_ca', 'verify-ca'],
  ['verify-full', 'verify-full'],
  ['verify_identity', 'verify-full'],
]);
const SWITCH = new Map<string, Mode>([
  ...MODES,
  ['true', 'on'],
  ['1', 'on'],
  ['false', 'disable'],
  ['0', 'disable'],
  // As mysql2 has it, and PlanetScale gives it.
  ['{}', 'on'],
  ['{"rejectunauthorized":true}', 'on'],
  ['{"rejectunauthorized":false}', 'require'],
]);
/** Prisma's. */
const ACCEPT = new Map<string, Mode>([
  ['strict', 'verify-full'],
  ['accept_invalid_certs', 'require'],
]);
const WORDS = new Map([
  ['sslmode', SWITCH],
  ['ssl-mode', SWITCH],
  ['ssl', SWITCH],
  ['sslaccept', ACCEPT],
]);
const ROOT_CERTIFICATES = 'sslrootcert';
const EXPECTED =
  'expected sslmode=disable, prefer, require, verify-ca or verify-full, ' + `and ${ROOT_CERTIFICATES}=<file>`;

/** Whether a parameter speaks of encryption, so that to pass over it might mean clear text. */
export function speaksOfTls(name: string): boolean {
  return /ssl|tls|cert|truststore|keystore|gssenc/i.test(name);
}

/**
 * Reads what the parameters of a URL ask for. What is not understood, or contradicts itself, is an error: encryption is
 * never off by accident.
 *
 * @param parameters those that speak of encryption.
 * @returns what they ask for, or what is wrong with them.
 */
export function parseTls(
  parameters: readonly (readonly [name: string, value: string])[],
): { request: TlsRequest | undefined } | string {
  const modes: Mode[] = [];
  const said: string[] = [];
  let rootCertificates: string | undefined;
  for (const [index, [name, value]] of parameters.entries()) {
    if (parameters.findIndex(([other]) => other === name) !== index)
      return `option 'url' has ${name} twice; ${EXPECTED}`;
    if (name === ROOT_CERTIFICATES) {
      if (value === '') return `option 'url' has an empty ${name}; ${EXPECTED}`;
      rootCertificates = value;
      continue;
    }
    const words = WORDS.get(name);
    if (words === undefined) return `option 'url' has the parameter '${name}', which is not understood; ${EXPECTED}`;
    const mode = words.get(value.toLowerCase().replaceAll(/\s/g, ''));
    // What is no word may be anything, a password too.
    if (mode === undefined)
      return `option 'url' has ${name}=${/^[\w-]{0,20}$/.test(value) ? value : '...'}; ${EXPECTED}`;
    modes.push(mode);
    said.push(`${name}=${value}`);
  }
  const mode = agree(modes);
  if (mode === undefined) return `option 'url' has ${said.join(' and ')}, which contradict each other; ${EXPECTED}`;
  if (rootCertificates === undefined) return { request: requestOf(mode, undefined) };
  if (mode === 'disable' || mode === 'prefer') {
    const what = said.length === 0 ? 'no sslmode' : said.join(' and ');
    return `option 'url' has ${ROOT_CERTIFICATES} and ${what}; expected sslmode=verify-ca or verify-full beside it`;
  }
  // Node has the authorities of the system, or brings its own.
  if (rootCertificates === 'system')
    return { request: requestOf(mode === 'require' ? 'verify-full' : mode, undefined) };
  // Whom to trust is said, so not everybody is: libpq has it so, too.
  return { request: requestOf(mode === 'require' ? 'verify-ca' : mode, rootCertificates) };
}

/** What all that was said comes to; undefined where it contradicts itself. */
function agree(modes: readonly Mode[]): Mode | undefined {
  const [first = 'disable', ...others] = modes;
  return others.reduce<Mode | undefined>((mode, other) => (mode === undefined ? undefined : both(mode, other)), first);
}

function both(one: Mode, other: Mode): Mode | undefined {
  if (one === other) return one;
  if (one === 'disable' || other === 'disable' || one === 'prefer' || other === 'prefer') return undefined;
  if (one === 'on') return other;
  if (other === 'on') return one;
  // `require` asks for encryption, the other word for how it is checked.
  if (one === 'require') return other;
  return other === 'require' ? one : undefined;
}

function requestOf(mode: Mode, rootCertificates: string | undefined): TlsRequest | undefined {
  return mode === 'disable' ? undefined : { mode: mode === 'on' ? 'verify-full' : mode, rootCertificates };
}

export async function readTls({ mode, rootCertificates }: TlsRequest): Promise<TlsMaterial> {
  const ca = rootCertificates === undefined ? undefined : await readFile(rootCertificates, 'utf8');
  return { ca, rejectUnauthorized: mode === 'verify-ca' || mode === 'verify-full' };
}
