import { Inject, Injectable } from '@nestjs/common';
import { ETCD_SURROUNDINGS } from './etcd.tokens.js';
import type { EtcdSurroundings } from './etcd-part.js';
import { CommandWriter, type CommandOptions, type ResetOptions } from './commands/command-writer.js';

/**
 * The cluster of etcd that the app's processes share, as a plain store of texts. Keys are those of the app: the prefix of
 * the options goes before them, and is not seen here.
 *
 * @example
 * await etcd.put('hello', 'world');
 * (await etcd.get('hello'))?.value; // 'world'
 *
 * @publicApi
 */
@Injectable()
export class EtcdService {
  readonly #surroundings: EtcdSurroundings;
  readonly #commands: CommandWriter;

  constructor(@Inject(ETCD_SURROUNDINGS) surroundings: unknown) {
    this.#surroundings = surroundings as EtcdSurroundings;
    const { client, options, runtime } = this.#surroundings;
    this.#commands = new CommandWriter(client, options.prefix, () => runtime.environment.clock.wallNow());
  }

  /**
   * Orders something of a breaker in all processes that hear commands, those that start later included, until it ends by
   * itself; `'normal'` takes it back. The last order of a breaker is in force. It goes before rules, and what an operator of one
   * process says by hand before it.
   *
   * @param name the breaker's; one that no process has is kept until a process has it.
   *
   * @example
   * await etcd.command('payments', { state: 'forcedOpen', reason: 'failover of the bank', author: 'ann', for: 600_000 });
   */
  command(name: string, options: CommandOptions): Promise<void> {
    return this.#commands.command(name, options);
  }

  /**
   * Closes a breaker, with all its keys, in every process that hears of it now, and forgets what it has counted. A command that
   * is in force stays, and so does what an operator of one process has said by hand.
   */
  reset(name: string, options: ResetOptions): Promise<void> {
    return this.#commands.reset(name, options);
  }

  /** @internal */
  get surroundings(): EtcdSurroundings {
    return this.#surroundings;
  }
}
