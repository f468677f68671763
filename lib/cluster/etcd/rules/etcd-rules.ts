import { hostname } from 'node:os';
import { textOf } from '../../../kernel/error-text.js';
import { isPlainObject } from '../../../kernel/options/check.js';
import type { Timer } from '../../../kernel/clock.js';
import type { EtcdEntry } from '../client/etcd-entry.js';
import type { ClusterSource } from '../../../read-model/cluster-source.js';
import { KeyWatch } from '../client/key-watch.js';
import { LeasedKey } from '../client/leased-key.js';
import { DiskCopy } from '../disk-copy.js';
import type { EtcdPart, EtcdSurroundings } from '../etcd-part.js';
import { RULES_SPREAD_MS } from '../etcd.options.js';
import { packageVersion } from '../../../module/runtime/package-version.js';
import { isChosen } from './is-chosen.js';
import { judgeRules } from './judged-rules.js';
import type { EtcdRuleStatus } from './rule-status.js';

/** A set of rules as it is kept. */
interface KeptRules {
  readonly revision: string;
  readonly text: string;
}

/** So many faults, and so many fields that are not known, are told. */
const MAX_TOLD = 100;
/** The longest path or message that is told, in characters: names in a document may be as long as the document. */
const LONGEST_TOLD = 500;

/** Applies the rules that stand in etcd, and says at `status/<process>` what became of them. */
export class EtcdRules implements EtcdPart {
  readonly #key: string;
  readonly #watch: KeyWatch;
  readonly #status: LeasedKey;
  readonly #disk: DiskCopy | undefined;
  readonly #spreadMs: number;
  #pending: Timer | undefined;
  #starting = true;
  /** What etcd had when the app started. */
  #found: EtcdEntry | undefined;
  #synced!: () => void;
  readonly #firstSync = new Promise<void>((resolve) => (this.#synced = resolve));
  #writing: Promise<void> = Promise.resolve();
  /** The set in force. */
  #revision: string | undefined;
  /** How many sets were refused. */
  #rejected = 0;

  constructor(private readonly surroundings: EtcdSurroundings) {
    const { client, options, processName } = surroundings;
    const { prefix, cacheDir, rules, ttl } = options;
    this.#key = `${prefix}rules`;
    this.#spreadMs = typeof rules === 'object' ? rules.spread : RULES_SPREAD_MS;
    this.#status = new LeasedKey(client, `${prefix}status/${processName}`, ttl);
    this.#disk = cacheDir === undefined ? undefined : new DiskCopy(cacheDir, 'rules', prefix);
    const isOurs = (key: string): boolean => key === this.#key;
    this.#watch = new KeyWatch(client, this.#key, {
      put: (entry) => isOurs(entry.key) && this.#heard(entry),
      deleted: (key) => isOurs(key) && this.#gone(),
      synced: () => {
        surroundings.store.heard(this);
        this.#synced();
      },
      lost: (error) => surroundings.store.lost(this, error),
    });
  }

  /** Takes the set that is there at once; where etcd does not say within one request's time, the one that was kept. */
  async start(): Promise<void> {
    this.#watch.start();
    await this.#firstAnswer();
    this.#starting = false;
    const found = this.#found;
    if (found !== undefined && this.#take({ revision: found.modRevision, text: found.value })) return;
    const kept = await this.#readKept();
    if (kept === undefined) {
      if (!this.#watch.connected) this.#log('warn', 'etcd has not answered: the app starts without its rules');
      return;
    }
    const why = !this.#watch.connected
      ? 'etcd has not answered'
      : found === undefined
        ? 'etcd has no rules'
        : 'the rules in etcd do not apply here';
    this.#log('warn', `${why}: those of revision ${kept.revision}, kept in ${this.#disk?.path}, are taken`);
    this.#take(kept, true);
  }

  report(): Pick<ClusterSource, 'rules'> {
    return { rules: { revision: this.#revision, rejected: this.#rejected } };
  }

  async close(): Promise<void> {
    const { clock } = this.surroundings.runtime.environment;
    if (this.#pending !== undefined) clock.clearTimeout(this.#pending);
    await Promise.all([this.#watch.close(), this.#status.close(), this.#writing]);
  }

  async #firstAnswer(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const tooLong = new Promise<void>((resolve) => (timer = setTimeout(resolve, this.surroundings.client.timeout)));
    await Promise.race([this.#firstSync, tooLong]);
    clearTimeout(timer);
  }

  #heard(entry: EtcdEntry): void {
    if (this.#starting) {
      this.#found = entry;
      return;
    }
    const { clock, random } = this.surroundings.runtime.environment;
    // The one that waited is not wanted any more.
    if (this.#pending !== undefined) clock.clearTimeout(this.#pending);
    this.#pending = clock.setTimeout(() => {
      this.#pending = undefined;
      this.#take({ revision: entry.modRevision, text: entry.value });
    }, random() * this.#spreadMs);
    this.#pending.unref();
  }

  #gone(): void {
    this.#found = undefined;
    this.#log(
      'warn',
      `${this.#key} is gone from etcd: the rules in force stay; an empty document, {}, takes them back`,
    );
  }

  /**
   * Applies a set, if it is right and for this process.
   *
   * @param kept whether it comes from the disk: it was for this process then.
   * @returns whether it is in force.
   */
  #take(set: KeptRules, kept = false): boolean {
    const { rules, processName } = this.surroundings;
    const { document, share, faults: all, unknown: left } = judgeRules(set.text, rules);
    const right = all.length === 0;
    const faults = all.slice(0, MAX_TOLD).map(({ path, message }) => ({ path: told(path), message: told(message) }));
    const unknown = left.slice(0, MAX_TOLD).map(told);
    const applied = right && (kept || isChosen(processName, document.version, share));
    if (unknown.length > 0)
      this.#log(
        'warn',
        `Rules of revision ${set.revision}: this version does not know ${unknown.join(', ')}${moreThan(left)}`,
      );
    if (applied) {
      rules.apply(document, { by: this.#key, source: 'etcd', reason: `revision ${set.revision}` });
      rules.foremost = 'etcd';
      this.#revision = set.revision;
      if (!kept) this.#keep(set);
    } else if (!right) {
      this.#rejected++;
      const lines = faults.map(({ path, message }) => `- ${path}: ${message}`).join('\n');
      this.#log(
        'error',
        `Rules of revision ${set.revision} are refused, those in force stay:\n${lines}${moreThan(all)}`,
      );
    }
    // What is told of the set in etcd is not hidden by that of the disk.
    if (!kept || this.#found === undefined) this.#say(set.revision, applied, faults, unknown);
    return applied;
  }

  #say(
    revision: string,
    applied: boolean,
    refused: NonNullable<EtcdRuleStatus['refused']>,
    unknown: readonly string[],
  ): void {
    const status: EtcdRuleStatus = {
      revision,
      applied,
      ...(refused.length > 0 && { refused }),
      ...(unknown.length > 0 && { unknown }),
      version: packageVersion(),
      host: hostname(),
      pid: process.pid,
      at: this.surroundings.runtime.environment.clock.wallNow(),
    };
    this.#status.set(JSON.stringify(status));
  }

  #keep(set: KeptRules): void {
    const disk = this.#disk;
    if (disk === undefined) return;
    this.#writing = this.#writing
      .then(() => disk.write(JSON.stringify(set)))
      .catch((error: unknown) => this.#log('error', `Rules could not be kept in ${disk.path}: ${textOf(error)}`));
  }

  async #readKept(): Promise<KeptRules | undefined> {
    try {
      const text = await this.#disk?.read();
      if (text === undefined) return undefined;
      const kept: unknown = JSON.parse(text);
      if (isPlainObject(kept) && typeof kept.revision === 'string' && typeof kept.text === 'string')
        return { revision: kept.revision, text: kept.text };
      throw new Error('expected { revision, text }');
    } catch (error) {
      this.#log('error', `Rules kept in ${this.#disk?.path} cannot be read: ${textOf(error)}`);
      return undefined;
    }
  }

  #log(level: 'warn' | 'error', text: string): void {
    this.surroundings.log(level, text);
  }
}

function told(text: string): string {
  return text.length > LONGEST_TOLD ? `${text.slice(0, LONGEST_TOLD - 3)}...` : text;
}

function moreThan(all: readonly unknown[]): string {
  return all.length > MAX_TOLD ? `, and ${all.length - MAX_TOLD} more` : '';
}
