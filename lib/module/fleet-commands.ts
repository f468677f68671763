/** The provider of {@link FleetCommands}; undefined or null: this process can order nothing of others. */
export const FLEET_COMMANDS = Symbol.for('nestjs-bulwark:fleet-commands');

/** What is ordered of a breaker in all processes of a fleet. */
export interface FleetCommand {
  /** `normal` takes back what was ordered before. */
  readonly state: 'forcedOpen' | 'disabled' | 'normal';
  readonly reason: string;
  /** Who is to be asked about it. */
  readonly author: string;
  /** How long it holds, ms. */
  readonly for?: number;
}

/** Steers the breakers of all processes at once; the module of a cluster brings it. */
export interface FleetCommands {
  /** Rejects where the store cannot be reached; the order may have come through all the same. */
  command(name: string, command: FleetCommand): Promise<void>;
  /** Closes a breaker everywhere, and forgets what it has counted. */
  reset(name: string, by: Pick<FleetCommand, 'reason' | 'author'>): Promise<void>;
}
