/** That a method may be called again with the same arguments, and changes nothing more. */
export interface Idempotency {
  /** Gives the key by which a dependency knows a repetition. @default a random one for each call */
  readonly key?: ((...args: never[]) => string) | undefined;
}
