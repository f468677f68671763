/** Options some of which may be data, in place of what a function of ours makes. */
export type OrData<O, D> = Omit<O, keyof D> & { [K in keyof D & keyof O]?: O[K] | D[K] };
