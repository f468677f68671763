import type { Clock, Timer } from '../../../kernel/clock.js';
import { MAX_DELAY_MS } from '../../../kernel/options/check.js';
import type { Instances } from '../../../planning/instances.js';
import type { NamedBreakers } from '../../../policies/circuit-breaker/named-breakers.js';
import { LONGEST_COMMAND_MS, reasonOf, type ClusterCommand } from './cluster-command.js';

/**
 * The commands in force in this process, by the names of breakers: those that are here obey, and others once they come
 * into being. While etcd is heard of, a command ends with its key, whose lease no clock of ours moves; without etcd it ends at its
 * `until`, by the clock of this machine.
 */
export class CommandBoard {
  readonly #commands = new Map<string, ClusterCommand>();
  readonly #breakers = new Map<string, NamedBreakers>();
  readonly #leave: () => void;
  #goesByClock = true;
  #timer: Timer | undefined;

  /** @param onChange told when what is in force has changed. */
  constructor(
    instances: Instances,
    private readonly clock: Clock,
    private readonly onChange: () => void = () => undefined,
  ) {
    this.#leave = instances.watchBreakers({
      added: (breakers) => {
        this.#breakers.set(breakers.name, breakers);
        this.#obey(breakers.name);
      },
      removed: ({ name }) => void this.#breakers.delete(name),
    });
  }

  /** What is in force. */
  get commands(): ReadonlyMap<string, ClusterCommand> {
    return this.#commands;
  }

  /** @param command undefined: it is taken back. */
  set(name: string, command: ClusterCommand | undefined): void {
    if (command !== undefined) this.#commands.set(name, command);
    else if (!this.#commands.delete(name)) return;
    this.#obey(name);
    this.#arm();
    this.onChange();
  }

  /** Forgets all that etcd does not hold. */
  keepOnly(names: ReadonlySet<string>): void {
    for (const name of [...this.#commands.keys()]) if (!names.has(name)) this.set(name, undefined);
  }

  /** Nothing is heard of etcd: each command ends at its `until`. */
  goByClock(): void {
    this.#goesByClock = true;
    this.#arm();
  }

  /** A command ends with its key. */
  goByEtcd(): void {
    this.#goesByClock = false;
    this.#arm();
  }

  /** Closes a breaker, and forgets what it has counted. */
  reset(name: string, reason: string): void {
    this.#breakers.get(name)?.reset(reason);
  }

  close(): void {
    this.#leave();
    this.#disarm();
  }

  #obey(name: string): void {
    const command = this.#commands.get(name);
    const word = command && { state: command.state, reason: reasonOf(command) };
    this.#breakers.get(name)?.say('command', word);
  }

  #arm(): void {
    this.#disarm();
    if (!this.#goesByClock || this.#commands.size === 0) return;
    const next = Math.min(...[...this.#commands.values()].map((command) => this.#left(command)));
    this.#timer = this.clock.setTimeout(() => this.#end(), Math.min(MAX_DELAY_MS, Math.max(1, Math.ceil(next))));
    this.#timer.unref();
  }

  #disarm(): void {
    if (this.#timer !== undefined) this.clock.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #end(): void {
    const over = [...this.#commands].filter(([, command]) => this.#left(command) <= 0);
    for (const [name] of over) this.set(name, undefined);
    this.#arm();
  }

  #left({ until }: ClusterCommand): number {
    return Math.min(LONGEST_COMMAND_MS, until - this.clock.wallNow());
  }
}
