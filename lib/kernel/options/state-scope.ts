import { oneOf } from './check.js';

/**
 * Whom the state of a policy belongs to. `'class'`: the code, so that all instances of a class meet in it. `'instance'`:
 * each instance of a static provider has its own, as a client class that is provided for two hosts wants it; it is named
 * `name#2` from the second instance on, in the order in which they are found, and goes with its instance.
 *
 * @publicApi
 */
export type StateScope = 'class' | 'instance';

/** What the option `scope` accepts. */
export const stateScope = oneOf('class', 'instance');

/**
 * That of a rate limit, which all processes of a cluster may share as well.
 *
 * @publicApi
 */
export type RateLimitScope = StateScope | 'cluster';

/** What the option `scope` of a rate limit accepts. */
export const rateLimitScope = oneOf('class', 'instance', 'cluster');
