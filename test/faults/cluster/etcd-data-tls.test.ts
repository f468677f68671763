import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type Server } from 'node:tls';
import { DataUnavailableException } from 'nestjs-bulwark/data';
import { EtcdDataService } from 'nestjs-bulwark/etcd';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { explained } from '../../support/explained.js';
import { etcdMissing, EtcdServer } from '../../support/servers/etcd-cluster.js';
import { missingServer } from '../../support/servers/own-server.js';

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
const missing = etcdMissing() ?? (hasOpenssl ? undefined : missingServer('openssl', 'openssl'));

describe.skipIf(missing)('an encrypted connection to etcd', () => {
  let etcd: EtcdServer;
  let encrypted: Server;
  let certificate: Buffer;

  beforeAll(async () => {
    const folder = await mkdtemp(join(tmpdir(), 'bulwark-tls-'));
    const [certFile, keyFile] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost'];
    spawnSync('openssl', [...request, '-addext', 'subjectAltName=DNS:localhost', '-keyout', keyFile, '-out', certFile]);
    certificate = await readFile(certFile);
    const key = await readFile(keyFile);
    await rm(folder, { recursive: true });
    etcd = await EtcdServer.create();
    encrypted = createServer({ cert: certificate, key, ALPNProtocols: ['h2'] }, (client) => {
      const server = connect(etcd.port, '127.0.0.1');
      const end = (): void => void (client.destroy(), server.destroy());
      for (const socket of [client, server]) socket.on('error', end).on('close', end);
      client.pipe(server).pipe(client);
    }).listen(0, '127.0.0.1');
    await once(encrypted, 'listening');
  });
  afterAll(async () => {
    encrypted?.close();
    await etcd?.remove();
  });

  const open = (rootCertificate?: Buffer): Promise<EtcdDataService> =>
    EtcdDataService.open({
      hosts: `https://localhost:${(encrypted.address() as AddressInfo).port}`,
      timeout: 2_000,
      ...(rootCertificate && { credentials: { rootCertificate } }),
    });

  it('is made with the authority that was named', async () => {
    const data = await open(certificate);
    await data.put('a', 1);

    expect(await data.get('a')).toBe(1);
    await data.close();
  });

  it('is refused where nobody vouches for the server', async () => {
    await expect(open()).rejects.toThrow(DataUnavailableException);
    await expect(open()).rejects.toThrow(explained('self-signed certificate'));
  });
});
