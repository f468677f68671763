import { readFile } from 'node:fs/promises';

/** How a connection is encrypted. */
export interface TlsRequest {
  /**
   * - `require`: whoever answers is trusted;
   * - `verify-ca`: the certificate must be signed by an authority that is trusted;
   * - `verify-full`: it must also name the host.
   */
  readonly mode: 'require' | 'verify-ca' | 'verify-full';
  /** A file with the authorities to trust, in PEM; undefined: those of Node. */
  readonly rootCertificates: string | undefined;
}

/** What the options of Node's `tls.connect` and of both drivers have in common. */
export interface TlsMaterial {
  readonly ca: string | undefined;
  readonly rejectUnauthorized: boolean;
}

/** The ways to say it that the field knows: `sslmode=require`, `ssl-mode=REQUIRED`, `ssl=true`. */
const MODES: Readonly<Record<string, TlsRequest['mode'] | 'disable'>> = {
  disable: 'disable',
  disabled: 'disable',
  false: 'disable',
  require: 'require',
  required: 'require',
  'verify-ca': 'verify-ca',
  verify_ca: 'verify-ca',
  'verify-full': 'verify-full',
  verify_identity: 'verify-full',
  true: 'verify-full',
};
const MODE_NAMES = ['sslmode', 'ssl-mode', 'ssl'];
const ROOT_CERTIFICATES = 'sslrootcert';
const EXPECTED = `expected sslmode=disable, require, verify-ca or verify-full, and ${ROOT_CERTIFICATES}=<file>`;

/** @returns what the parameters of a URL ask for, or what is wrong with them. */
export function parseTls(parameters: URLSearchParams): { request: TlsRequest | undefined } | string {
  let mode: TlsRequest['mode'] | 'disable' = 'disable';
  for (const [name, value] of parameters) {
    if (name === ROOT_CERTIFICATES) continue;
    if (!MODE_NAMES.includes(name)) return `option 'url' has the unknown parameter '${name}'; ${EXPECTED}`;
    const known = MODES[value.toLowerCase()];
    if (known === undefined)
      return `option 'url' has ${name}=${/^[\w-]{0,20}$/.test(value) ? value : '...'}; ${EXPECTED}`;
    mode = known;
  }
  const rootCertificates = parameters.get(ROOT_CERTIFICATES) ?? undefined;
  return { request: mode === 'disable' ? undefined : { mode, rootCertificates } };
}

export async function readTls({ mode, rootCertificates }: TlsRequest): Promise<TlsMaterial> {
  const ca = rootCertificates === undefined ? undefined : await readFile(rootCertificates, 'utf8');
  return { ca, rejectUnauthorized: mode !== 'require' };
}
