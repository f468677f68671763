/** A change that a caller asked for. */
export type Change =
  | {
      readonly type: 'put';
      readonly key: string;
      /** The value's JSON text. */
      readonly text: string;
      /** The version that the key must have; null: none; undefined: any. */
      readonly ifVersion: string | null | undefined;
    }
  | { readonly type: 'delete'; readonly key: string }
  | {
      readonly type: 'apply';
      readonly key: string;
      /** Undefined: the key was deleted. */
      readonly text: string | undefined;
      readonly version: string;
      readonly ifVersion: string | null | undefined;
    }
  | { readonly type: 'forget'; readonly key: string; readonly version: string };

/** A change that waits for its commit. */
export interface PendingChange {
  readonly change: Change;
  readonly signal: AbortSignal | undefined;
  /**
   * Told a version: after a put or an apply the one that the key has, after a delete or a forget the one that was
   * removed; undefined where nothing was there to remove.
   */
  readonly resolve: (version: string | undefined) => void;
  readonly reject: (reason: unknown) => void;
}
