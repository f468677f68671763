/** Options of any policy, checked. */
export type Options = Readonly<Record<string, unknown>>;
