import { spawnSync } from 'node:child_process';
import { chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseDataService } from 'nestjs-bulwark/data';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mariaDbMissing, MariaDbServer } from '../../support/servers/mariadb-server.js';
import { missingServer } from '../../support/servers/own-server.js';
import { postgresMissing, PostgresServer, postgresUser } from '../../support/servers/postgres-server.js';
import { explained } from '../../support/explained.js';

/** Files with a certificate of `localhost`, which no authority has signed, and its key. */
interface Certificate {
  readonly cert: string;
  readonly key: string;
}

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
const opensslMissing = hasOpenssl ? undefined : missingServer('openssl', 'openssl');
const kinds = [
  {
    name: 'MariaDB',
    missing: mariaDbMissing() ?? opensslMissing,
    create: ({ cert, key }: Certificate) => MariaDbServer.create(1, [`--ssl-cert=${cert}`, `--ssl-key=${key}`]),
  },
  {
    name: 'PostgreSQL',
    missing: (await postgresMissing()) ?? opensslMissing,
    create: ({ cert, key }: Certificate) =>
      PostgresServer.create(['ssl=on', `ssl_cert_file=${cert}`, `ssl_key_file=${key}`]),
  },
];

describe.each(kinds)('an encrypted connection to $name', ({ missing, create }) => {
  let folder: string;
  let server: MariaDbServer | PostgresServer;
  let ca: string;

  beforeAll(async () => {
    if (missing !== undefined) return;
    folder = await mkdtemp(join(tmpdir(), 'bulwark-tls-'));
    const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost'];
    spawnSync('openssl', [...request, '-addext', 'subjectAltName=DNS:localhost', '-keyout', key, '-out', cert]);
    const uid = postgresUser();
    if (uid !== undefined) await Promise.all([folder, cert, key].map((path) => chown(path, uid, uid)));
    server = await create({ cert, key });
    ca = cert;
  }, 60_000);
  afterAll(async () => {
    await server?.remove();
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  async function connect(host: string, query: string): Promise<unknown> {
    const url = new URL(`${server.url()}?${query}`);
    url.hostname = host;
    const data = await DatabaseDataService.open({ url: url.href });
    await data.put('a', query);
    return data.get('a').finally(() => data.close());
  }

  it.skipIf(missing)('trusts whoever answers, where only encryption is asked for', async () => {
    expect(await connect('127.0.0.1', 'sslmode=require')).toBe('sslmode=require');
  });

  it.skipIf(missing)('trusts no authority but those that it is told, and no other host', async () => {
    await expect(connect('localhost', 'sslmode=verify-ca')).rejects.toThrow(explained('self-signed certificate'));
    await expect(connect('localhost', 'ssl=true')).rejects.toThrow(explained('self-signed certificate'));
    await expect(connect('127.0.0.1', `ssl=true&sslrootcert=${ca}`)).rejects.toThrow(explained(/127\.0\.0\.1/));
    await expect(connect('localhost', 'ssl=true&sslrootcert=/none')).rejects.toThrow(explained('cannot be read'));

    await connect('127.0.0.1', `sslmode=verify-ca&sslrootcert=${ca}`);
    await connect('localhost', `sslmode=verify-full&sslrootcert=${ca}`);
  });
});
