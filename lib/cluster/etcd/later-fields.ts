import { isPlainObject } from '../../kernel/options/check.js';
import { oneLine } from './commands/cluster-command.js';
import type { EtcdSurroundings } from './etcd-part.js';

/** So many are told: what stands in etcd may be anything. */
const MOST_TOLD = 50;

/**
 * Tells once of each field that others have written and this version does not know: during a rolling upgrade they may run a
 * later one. Nothing is refused for it.
 */
export class LaterFields {
  readonly #told = new Set<string>();

  /** @param known the fields of this version. */
  constructor(
    private readonly log: EtcdSurroundings['log'],
    private readonly known: readonly string[],
  ) {}

  /** @param key where it stands. */
  note(key: string, value: unknown): void {
    if (!isPlainObject(value)) return;
    for (const field of Object.keys(value)) {
      if (this.known.includes(field) || this.#told.has(field) || this.#told.size >= MOST_TOLD) continue;
      this.#told.add(field);
      this.log('warn', `${oneLine(key)} in etcd: this version does not know ${oneLine(field)}, and goes on without it`);
    }
  }
}
