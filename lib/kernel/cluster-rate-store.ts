/** What becomes of calls while the store of a shared limit does not answer; see the option of that name. */
export type OnStoreError = 'local' | 'open' | 'closed';

/** What one process asks of a limit that several share. Amounts are units: calls, or what `cost` charges. */
export interface TokenRequest {
  /** The instance, its key included. */
  readonly name: string;
  /** Less than this is of no use. */
  readonly least: number;
  readonly want: number;
  /** The time that a unit takes, ms. */
  readonly intervalMs: number;
  /** How much may begin at once after a rest. */
  readonly burst: number;
}

/** What it was given, and what is left. */
export interface TokenGrant {
  /** 0, or from `least` to `want`. */
  readonly granted: number;
  /** What is left for all processes, as the time that it takes, ms; another unit is there when it is `intervalMs`. */
  readonly spareMs: number;
}

/** Where the processes of a cluster count together; it is given to the app from outside. */
export interface ClusterRateStore {
  /** Whether it may be asked; `false`: it was away of late, and nobody waits for it. */
  readonly up: boolean;
  /** How many processes share the limits, as far as was last seen. */
  readonly processes: number;
  /** What limits do that do not say so themselves. */
  readonly onStoreError: OnStoreError;
  /** The longest that a call waits for an answer, ms. */
  readonly commandTimeout: number;
  /** It settles, if late. */
  take(request: TokenRequest): Promise<TokenGrant>;
}
