/**
 * A place from which rules come. Whatever it gives is checked; what is wrong at start fails the start, and later leaves
 * the rules in force.
 *
 * @publicApi
 */
export interface RuleSource {
  /** How logs and events name it. */
  readonly name: string;
  /** The document there now; undefined: there is none. A rejection says that it cannot be read. */
  read(): Promise<unknown>;
  /** Calls `changed` whenever {@link read} may give something else; called once, after the first reading. */
  watch(changed: () => void): void;
  /** Ends the watch. */
  close(): void | Promise<void>;
}
