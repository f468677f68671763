import { isPlainObject } from '../../../kernel/options/check.js';
import { DiskCopy } from '../disk-copy.js';
import { parsed, readCommand, type ClusterCommand } from './cluster-command.js';

/** The commands in force as a file, so that a process that starts without etcd obeys those that have not ended. */
export class CommandFile {
  readonly #copy: DiskCopy;
  #writing: Promise<void> | undefined;
  #wanted: string | undefined;

  /**
   * @param prefix whose commands they are: fleets may share a folder.
   * @param onError told when it cannot be written.
   */
  constructor(
    folder: string,
    private readonly prefix: string,
    private readonly onError: (error: unknown) => void,
  ) {
    this.#copy = new DiskCopy(folder, 'commands', prefix);
  }

  /** What it holds, ended or not; what cannot be read is nothing. */
  async read(): Promise<Map<string, ClusterCommand>> {
    const held = parsed((await this.#copy.read().catch(() => undefined)) ?? '');
    const commands = new Map<string, ClusterCommand>();
    if (!isPlainObject(held) || held.prefix !== this.prefix || !isPlainObject(held.commands)) return commands;
    for (const [name, value] of Object.entries(held.commands)) {
      const command = readCommand(value);
      if (command !== undefined) commands.set(name, command);
    }
    return commands;
  }

  /** Writes them, in time; of several in a row the last. */
  write(commands: ReadonlyMap<string, ClusterCommand>): void {
    this.#wanted = JSON.stringify({ prefix: this.prefix, commands: Object.fromEntries(commands) });
    this.#writing ??= this.#write();
  }

  /** Resolves when what was to be written is. */
  async flushed(): Promise<void> {
    await this.#writing;
  }

  async #write(): Promise<void> {
    while (this.#wanted !== undefined) {
      const text = this.#wanted;
      this.#wanted = undefined;
      await this.#copy.write(text).catch(this.onError);
    }
    this.#writing = undefined;
  }
}
