import { required, UsageError } from '../../../cli/shell/command.js';
import { maskCredentials } from '../../../errors/mask-credentials.js';
import type { EtcdConnection } from '../client/etcd-connection.js';
import { ETCD_DEFAULTS } from '../etcd.options.js';
import type { ClusterContext } from './context.js';

/** The variable that holds the password: arguments are seen by everybody on the machine. */
export const PASSWORD_VARIABLE = 'BULWARK_ETCD_PASSWORD';

/** The options that say which etcd it is, for `parseArgs`. */
export const CONNECTION_OPTIONS = {
  hosts: { type: 'string' },
  prefix: { type: 'string', default: ETCD_DEFAULTS.prefix },
  user: { type: 'string' },
  cacert: { type: 'string' },
  cert: { type: 'string' },
  key: { type: 'string' },
} as const;

export const CONNECTION_HELP = `  --hosts <list>     the members of etcd, parted by commas: http://127.0.0.1:2379
  --prefix <text>    what the keys of the fleet begin with, as in the app's options (${ETCD_DEFAULTS.prefix})
  --user <name>      who asks; the password stands in ${PASSWORD_VARIABLE}
  --cacert, --cert, --key <file>  for TLS`;

/** The values of {@link CONNECTION_OPTIONS}. */
export interface ConnectionValues {
  readonly hosts?: string | undefined;
  readonly user?: string | undefined;
  readonly cacert?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

/** @throws UsageError */
export function connectionOf(values: ConnectionValues, { env, readFile }: ClusterContext): EtcdConnection {
  const hosts = required('--hosts', values.hosts).split(',');
  const wrong = hosts.find((host) => !/^(https?:\/\/)?[^/\s@]+:\d+$/.test(host));
  if (wrong !== undefined)
    throw new UsageError(`--hosts: expected addresses such as http://127.0.0.1:2379, got '${maskCredentials(wrong)}'`);
  const { user, cacert, cert, key } = values;
  const password = env[PASSWORD_VARIABLE];
  if (user !== undefined && password === undefined)
    throw new UsageError(`--user: the password is missing in ${PASSWORD_VARIABLE}`);
  if (cacert === undefined && (cert !== undefined || key !== undefined))
    throw new UsageError('--cert and --key are of use with --cacert only');
  return {
    hosts,
    ...(user === undefined || password === undefined ? {} : { auth: { username: user, password } }),
    ...(cacert === undefined
      ? {}
      : {
          credentials: {
            rootCertificate: readFile(cacert),
            ...(key === undefined ? {} : { privateKey: readFile(key) }),
            ...(cert === undefined ? {} : { certChain: readFile(cert) }),
          },
        }),
  };
}
