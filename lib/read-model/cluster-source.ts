/** What a part of a cluster tells of itself. */
export interface ClusterSource {
  /** A store that processes share, and whether it answers. */
  readonly store?: { readonly name: 'etcd' | 'redis'; readonly up: boolean; readonly errors: number } | undefined;
  /** The rules that came from it. */
  readonly rules?: { readonly revision: number | string | undefined; readonly rejected: number } | undefined;
  /** The elections in which this process stands, and whether it leads. */
  readonly leaders?: ReadonlyMap<string, boolean> | undefined;
}
