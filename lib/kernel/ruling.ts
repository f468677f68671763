import type { Options } from './options/options.js';

/** What a rule says of one policy. */
export interface Rule {
  /** Where it stands in its document. */
  readonly path: string;
  /** `false`: off. */
  readonly options: Options | false;
}

/** What rules say of whether a policy is at work at all: no option of it, but a word in the order of control. */
export interface Ruling {
  /** Of the instance, for all who share it. */
  readonly word: { readonly state: 'disabled' | 'normal'; readonly reason: string } | undefined;
  /** This one method is to pass it by, although others share it. */
  readonly passesBy: boolean;
  /** What code and configuration say of `enabled`. */
  readonly enabled: boolean;
}
