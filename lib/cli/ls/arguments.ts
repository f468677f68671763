import { maskCredentials } from '../../errors/mask-credentials.js';
import { noMore, readArguments, required, UsageError } from '../shell/command.js';
import { safeText } from '../shell/safe-text.js';

/** What `ls` was asked for. */
export interface LsArguments {
  /** Where the state is. */
  readonly url: URL;
  readonly headers: Headers;
  readonly watch: boolean;
  readonly json: boolean;
}

const STATE_PATH = '/api/state';

/** @throws UsageError */
export function parseLsArguments(args: readonly string[]): LsArguments {
  const { values, positionals } = readArguments({
    args: [...args],
    allowPositionals: true,
    options: {
      watch: { type: 'boolean', short: 'w', default: false },
      json: { type: 'boolean', default: false },
      header: { type: 'string', short: 'H', multiple: true, default: [] },
    },
  });
  const [address, ...surplus] = positionals;
  noMore(surplus);
  const headers = headersOf(values.header);
  return { url: stateUrl(required('the address of the dashboard', address), headers), headers, ...picked(values) };
}

function picked({ watch, json }: { watch: boolean; json: boolean }): Pick<LsArguments, 'watch' | 'json'> {
  return { watch, json };
}

/** No message shows the value of one: it may be a password. */
function headersOf(given: readonly string[]): Headers {
  const headers = new Headers({ accept: 'application/json' });
  for (const header of given) {
    const [, name, value] = /^([^:\s]+)\s*:\s*([\s\S]*)$/.exec(header) ?? [];
    try {
      if (name === undefined || value === undefined) throw new Error('it is none');
      headers.append(name, value);
    } catch {
      throw new UsageError("-H: expected 'Name: value', such as 'Authorization: Bearer ...'");
    }
  }
  return headers;
}

/** From the address of the page; a user and a password in it become a header, since they are no part of an address. */
function stateUrl(address: string, headers: Headers): URL {
  const url = /^https?:\/\//i.test(address) && URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined) {
    const got = safeText(maskCredentials(address));
    throw new UsageError(
      `expected the address of the dashboard, such as http://localhost:3000/resilience, got '${got}'`,
    );
  }
  if (url.username !== '' || url.password !== '') {
    const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
    headers.set('authorization', `Basic ${Buffer.from(pair).toString('base64')}`);
    url.username = url.password = '';
  }
  url.hash = '';
  url.pathname = `${url.pathname.replace(/\/+$/, '')}${STATE_PATH}`;
  return url;
}

/** The address as the user gave it, without credentials. */
export function shownAddress({ origin, pathname }: URL): string {
  return safeText(`${origin}${pathname.slice(0, -STATE_PATH.length) || '/'}`);
}
