/** Where a command writes: results to `out`, progress and messages to `err`. */
export interface Terminal {
  readonly out: {
    write(text: string): unknown;
    readonly isTTY?: boolean | undefined;
    /** The size of a terminal, characters and lines. */
    readonly columns?: number | undefined;
    readonly rows?: number | undefined;
  };
  readonly err: { write(text: string): unknown; readonly isTTY?: boolean | undefined };
}
