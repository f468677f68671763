import type { Options } from './options/options.js';
import type { Loss } from './loss.js';
import type { PolicyEnvironment } from './policy.js';
import type { Ruling } from './ruling.js';

/** Something that keeps state under a name, and keeps it when its options change. */
export interface Stateful {
  readonly options: object;
  reconfigure(options: object): void;
}

/** How a policy keeps state. */
export interface StateKind<S extends Stateful = Stateful> {
  /** What it is called in errors. */
  readonly what: string;
  create(name: string, options: Options, environment: PolicyEnvironment, ruling: Ruling | undefined): S;
  /** The options that decide whether two definitions of one name are the same. @default the options of the step */
  optionsOf?(options: Options, ruling: Ruling | undefined): Options;
  /** Lets `known` take on what `wanted` has beside its options. */
  follow?(known: S, wanted: S): void;
  /** What would be lost with it. */
  lossWith(state: S, now: number): Loss;
  /** Nobody uses it any more. */
  retire?(state: S): void;
}
