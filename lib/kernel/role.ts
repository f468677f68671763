import type { Decision } from './decision.js';
import type { Guard } from './guard.js';
import type { Junction } from './junction.js';

/** What a policy is to the attempts of a method. */
export type Role =
  | { readonly guard: Guard }
  | { readonly decision: Decision }
  /** Takes attempts of the policies inside it in place of the method. */
  | { readonly junction: Junction };
