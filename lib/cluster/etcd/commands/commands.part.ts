import type { KeyListener } from '../client/key-watch.js';
import { KeyWatch } from '../client/key-watch.js';
import type { EtcdEntry } from '../client/etcd-entry.js';
import type { EtcdPart, EtcdSurroundings } from '../etcd-part.js';
import { isPlainObject } from '../../../kernel/options/check.js';
import { textOf } from '../../../kernel/error-text.js';
import { CommandBoard } from './command-board.js';
import { LaterFields } from '../later-fields.js';
import { CommandFile } from './command-file.js';
import { COMMAND_FIELDS, COMMANDS, oneLine, parsed, readCommand, RESETS } from './cluster-command.js';

/** Lets the breakers of this process obey the commands that stand in etcd. */
export class CommandsPart implements EtcdPart {
  readonly #board: CommandBoard;
  readonly #file: CommandFile | undefined;
  readonly #commands: KeyWatch;
  readonly #resets: KeyWatch;
  #onFirstWord: () => void = () => undefined;
  readonly #later: LaterFields;
  #seesResets = false;

  constructor(private readonly surroundings: EtcdSurroundings) {
    const { client, options, runtime, log } = surroundings;
    const { prefix, cacheDir } = options;
    this.#file =
      cacheDir === undefined
        ? undefined
        : new CommandFile(cacheDir, prefix, (error) =>
            log('warn', `commands of operators could not be kept in ${cacheDir}: ${textOf(error)}`),
          );
    this.#later = new LaterFields(log, COMMAND_FIELDS);
    const { clock } = runtime.environment;
    this.#board = new CommandBoard(runtime.instances, clock, () => this.#file?.write(this.#board.commands));
    this.#commands = new KeyWatch(client, `${prefix}${COMMANDS}`, this.#commandListener());
    this.#resets = new KeyWatch(client, `${prefix}${RESETS}`, this.#resetListener());
  }

  /** Waits for the first answer of etcd: a breaker that is forced open must be so from the first call on. */
  async start(): Promise<void> {
    const { clock } = this.surroundings.runtime.environment;
    for (const [name, command] of (await this.#file?.read()) ?? [])
      if (command.until > clock.wallNow()) this.#board.set(name, command);
    const answered = new Promise<void>((resolve) => (this.#onFirstWord = resolve));
    this.#commands.start();
    this.#resets.start();
    const timer = clock.setTimeout(() => this.#onFirstWord(), this.surroundings.client.timeout);
    await answered;
    clock.clearTimeout(timer);
  }

  async close(): Promise<void> {
    this.#board.close();
    await Promise.all([this.#commands.close(), this.#resets.close(), this.#file?.flushed()]);
  }

  #commandListener(): KeyListener {
    const { store } = this.surroundings;
    return {
      put: (entry) => this.#put(entry),
      deleted: (key) => this.#board.set(this.#nameIn(key, this.#commands), undefined),
      synced: () => {
        const there = [...this.#commands.entries.keys()].map((key) => this.#nameIn(key, this.#commands));
        this.#board.keepOnly(new Set(there));
        this.#board.goByEtcd();
        store.heard(this.#commands);
        this.#onFirstWord();
      },
      lost: (error) => {
        this.#board.goByClock();
        store.lost(this.#commands, error);
        this.#onFirstWord();
      },
    };
  }

  /** How often a breaker was reset before nobody here has seen: it is closed by those that see the number change. */
  #resetListener(): KeyListener {
    return {
      put: (entry) => {
        if (this.#seesResets) this.#board.reset(this.#nameIn(entry.key, this.#resets), reasonOfReset(entry.value));
      },
      deleted: () => undefined,
      synced: () => {
        this.#seesResets = true;
      },
    };
  }

  #put({ key, value }: EtcdEntry): void {
    const name = this.#nameIn(key, this.#commands);
    const said = parsed(value);
    const command = readCommand(said);
    this.#later.note(key, said);
    if (command === undefined)
      this.surroundings.log('warn', `${oneLine(key)} in etcd holds no command, and none is in force`);
    this.#board.set(name, command);
  }

  #nameIn(key: string, { prefix }: KeyWatch): string {
    return key.slice(prefix.length);
  }
}

function reasonOfReset(text: string): string {
  const value = parsed(text);
  const { author, reason } = isPlainObject(value) ? value : {};
  const said = (what: unknown): string => (typeof what === 'string' ? what : '?');
  return `reset in all processes by ${said(author)}: ${said(reason)}`;
}
