import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CommandOptions } from '../../../../lib/cluster/etcd/commands/command-writer.js';
import type { ResilienceEtcdOptions } from '../../../../lib/cluster/etcd/etcd.options.js';
import type { PolicySet } from '../../../../lib/policies/policy-set.js';
import { compileLib } from '../../../support/compiled-lib.js';

const SCRIPT = new URL('upgraded-member.mjs', import.meta.url).pathname;

/** What the next version writes, or takes, that this one does not know: a file of the build, what stands there, and what then. */
const NEXT: readonly (readonly [file: string, from: string, to: string])[] = [
  ['cluster/etcd/rules/etcd-rules.js', 'pid: process.pid,', "pid: process.pid, zone: 'b',"],
  ['cluster/etcd/breakers/trip-report.js', 'called: fitting(called) }', "called: fitting(called), zone: 'b' }"],
  ['cluster/etcd/breakers/trip-report.js', "['open', 'called']", "['open', 'called', 'zone']"],
  [
    'cluster/etcd/commands/command-writer.js',
    'Math.round(this.wallNow() + ms) }',
    "Math.round(this.wallNow() + ms), ticket: 'T-1' }",
  ],
  ['cluster/etcd/commands/cluster-command.js', "'author', 'until']", "'author', 'until', 'ticket']"],
  ['cluster/etcd/discovery/etcd-endpoints.js', 'JSON.stringify({ address })', "JSON.stringify({ address, zone: 'b' })"],
  ['policies/retry/retry.options.js', 'maxDuration: positiveMs,', 'maxDuration: positiveMs, patience: positiveMs,'],
  ['rules/read-rules.js', "['version', 'policies', 'methods']", "['version', 'policies', 'methods', 'zones']"],
];

/** Two builds of the library: as it is, and as a later version may be. */
export interface TwoVersions {
  readonly old: string;
  readonly next: string;
}

export const OLD_VERSION = '0.1.0';
export const NEXT_VERSION = '0.2.0';

/** Compiles both, into folders of their own, which are to be removed. */
export async function buildTwoVersions(): Promise<TwoVersions> {
  const [old, next] = await Promise.all([build(OLD_VERSION, []), build(NEXT_VERSION, NEXT)]);
  return { old, next };
}

async function build(version: string, changes: typeof NEXT): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `bulwark-${version}-`));
  await compileLib(folder);
  await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'nestjs-bulwark', version, type: 'module' }));
  for (const [file, from, to] of changes) {
    const path = join(folder, file);
    const text = await readFile(path, 'utf8');
    if (text.split(from).length !== 2) throw new Error(`${file}: expected ${from} once`);
    await writeFile(path, text.replace(from, to));
  }
  return folder;
}

/** What a member says of itself. */
export interface MemberLook {
  /** What it has logged, as `level text`. */
  readonly lines: readonly string[];
  readonly endpoints: readonly string[];
  readonly states: readonly string[];
  /** What the rules in force say of the time limit of `first`. */
  readonly timeout?: number;
}

/** A process of one version. */
export class VersionedMember {
  private constructor(private readonly child: ChildProcess) {}

  static async start(
    library: string,
    etcd: ResilienceEtcdOptions,
    policies: Record<string, PolicySet>,
  ): Promise<VersionedMember> {
    const child = fork(SCRIPT, [JSON.stringify({ library, etcd, policies })]);
    const ready = once(child, 'message');
    const failed = once(child, 'exit').then(([code]) => Promise.reject(new Error(`a member has ended with ${code}`)));
    await Promise.race([ready, failed]);
    failed.catch(() => undefined);
    return new VersionedMember(child);
  }

  look(names: readonly string[] = []): Promise<MemberLook> {
    return this.#ask('look', names) as Promise<MemberLook>;
  }

  /** Calls a breaker: once, or, where it is to fail, as often as it takes to open it. */
  async call(name: string, fails = false): Promise<void> {
    await this.#ask('call', { name, fails });
  }

  async command(name: string, options: CommandOptions): Promise<void> {
    await this.#ask('command', { name, ...options });
  }

  async close(): Promise<void> {
    if (this.child.exitCode !== null) throw new Error(`a member has ended with ${this.child.exitCode}`);
    const ended = once(this.child, 'exit');
    this.child.send({ deed: 'end' });
    await ended;
  }

  async #ask(deed: string, given: unknown): Promise<unknown> {
    this.child.send({ deed, given });
    const [{ done, error }] = (await once(this.child, 'message')) as [{ done?: unknown; error?: string }];
    if (error !== undefined) throw new Error(error);
    return done;
  }
}
