import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from './free-port.js';
import { missingServer, OwnServer, type ServerCommand } from './own-server.js';

const MEMBERS = 3;
const ANSWER_MS = 1_000;
const ELECTION_MS = 30_000;

/** Why a server of its own cannot be started here; undefined: it can. */
export function etcdMissing(): string | undefined {
  const isThere = spawnSync('sh', ['-c', 'command -v etcd']).status === 0;
  return isThere ? undefined : missingServer('etcd', 'etcd-server');
}

/** What a member says of itself. */
interface MemberStatus {
  readonly header: { readonly member_id: string; readonly raft_term: string };
  /** The member that it takes for the leader; none: absent. */
  readonly leader?: string;
}

/** One etcd of a test's own: a cluster of one. Its data survives {@link stop} and {@link start}. */
export class EtcdServer extends OwnServer {
  constructor(
    folder: string,
    port: number,
    private readonly options: readonly string[],
  ) {
    super(folder, port);
  }

  /** A running one. @param options more of the server's own: `--quota-backend-bytes=16777216`. */
  static async create(options: readonly string[] = []): Promise<EtcdServer> {
    const folder = await mkdtemp(join(tmpdir(), 'bulwark-etcd-'));
    const [port, peerPort] = (await freePorts(2)) as [number, number];
    const server = new EtcdServer(folder, port, [...asPeer('one', [['one', peerPort]]), ...options]);
    await server.start();
    return server;
  }

  /** Its address, or that of a proxy before it. */
  host(port = this.port): string {
    return `http://127.0.0.1:${port}`;
  }

  /**
   * Asks it something that is no business of the library, through its JSON gateway.
   *
   * @param path such as `kv/compaction`, with `{ revision: '12' }`.
   * @see https://etcd.io/docs/v3.4/dev-guide/api_grpc_gateway/
   */
  async call(path: string, body: object = {}): Promise<unknown> {
    const response = await fetch(`${this.host()}/v3/${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response.json();
  }

  async status(): Promise<MemberStatus> {
    return (await this.call('maintenance/status')) as MemberStatus;
  }

  protected override command(): ServerCommand {
    return {
      file: 'etcd',
      args: [
        `--data-dir=${join(this.folder, 'data')}`,
        `--listen-client-urls=${this.host()}`,
        `--advertise-client-urls=${this.host()}`,
        '--logger=zap',
        ...this.options,
      ],
    };
  }

  /** It serves clients when it has a leader, so that most members of a new cluster must be started together. */
  protected override async probe(): Promise<void> {
    const { leader } = await this.status();
    if (leader === undefined) throw new Error('expected a leader');
  }
}

/** Three members on this machine. A member is named by its number, from 0. */
export class EtcdCluster {
  private constructor(
    private readonly folder: string,
    /** To be asked, stopped and paused one by one. */
    readonly members: readonly EtcdServer[],
  ) {}

  /** A running one, with a leader. @param options more of each server's own. */
  static async create(options: readonly string[] = []): Promise<EtcdCluster> {
    const folder = await mkdtemp(join(tmpdir(), 'bulwark-etcd-'));
    const ports = await freePorts(2 * MEMBERS);
    const peers = ports.slice(MEMBERS).map((port, node) => [`node${node}`, port] as const);
    const members = await Promise.all(
      peers.map(async ([name], node) => {
        const own = join(folder, name);
        await mkdir(own);
        return new EtcdServer(own, ports[node] as number, [...asPeer(name, peers), ...options]);
      }),
    );
    const cluster = new EtcdCluster(folder, members);
    await Promise.all(members.map((member) => member.start()));
    return cluster;
  }

  get hosts(): string[] {
    return this.members.map((member) => member.host());
  }

  /** The member that leads; waits until one does. Those that are paused or killed are not asked. */
  async leader(): Promise<number> {
    const end = performance.now() + ELECTION_MS;
    for (;;) {
      const answers = await Promise.all(this.members.map((member) => member.status().catch(() => undefined)));
      const [leader] = answers
        .flatMap((status, node) => (status !== undefined && leads(status) ? [{ node, term: termOf(status) }] : []))
        // One that was paused through an election takes itself for the leader until it hears of it.
        .sort((one, other) => other.term - one.term);
      if (leader !== undefined) return leader.node;
      if (performance.now() > end) throw new Error('expected a leader');
      await delay(50);
    }
  }

  /** Ends a member as if its machine had gone. */
  kill(node: number): Promise<void> {
    return this.#member(node).stop('SIGKILL');
  }

  /** Its connections stay, and it answers nothing. */
  pause(node: number): Promise<void> {
    return this.#member(node).pause();
  }

  resume(node: number): Promise<void> {
    return this.#member(node).resume();
  }

  /** Starts a member with the data that it had, killed before if it runs; waits until the cluster has a leader. */
  async restart(node: number): Promise<void> {
    await this.kill(node);
    await this.#member(node).start();
  }

  async remove(): Promise<void> {
    await Promise.all(this.members.map((member) => member.remove()));
    await rm(this.folder, { recursive: true, force: true });
  }

  #member(node: number): EtcdServer {
    const member = this.members[node];
    if (member === undefined) throw new Error(`expected a node from 0 to ${MEMBERS - 1}, got ${node}`);
    return member;
  }
}

const leads = ({ header, leader }: MemberStatus): boolean => leader === header.member_id;
const termOf = ({ header }: MemberStatus): number => Number(header.raft_term);

/** What a member must know of itself and of the others. */
function asPeer(name: string, peers: readonly (readonly [name: string, port: number])[]): string[] {
  const url = (port: number | undefined): string => `http://127.0.0.1:${port}`;
  const own = url(peers.find(([peer]) => peer === name)?.[1]);
  return [
    `--name=${name}`,
    `--listen-peer-urls=${own}`,
    `--initial-advertise-peer-urls=${own}`,
    `--initial-cluster=${peers.map(([peer, port]) => `${peer}=${url(port)}`).join(',')}`,
  ];
}

/** All asked for at once, while each is taken: so they differ. */
async function freePorts(count: number): Promise<number[]> {
  const ports = await Promise.all(Array.from({ length: count }, () => freePort()));
  return new Set(ports).size === count ? ports : freePorts(count);
}
