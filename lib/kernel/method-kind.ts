/** What a method gives: one answer, or a stream of one kind or the other. */
export type Returns = 'promise' | 'observable' | 'asyncIterable';

/** What a method gives, where its code or its declared type says so; `'sync'`: neither promise nor stream. */
export type MethodKind = Returns | 'sync' | undefined;
