import type { RateLimitOptions } from '../policies/rate-limit/rate-limit.options.js';
import { policyDecorator } from './guard.js';
import type { GuardDecorator } from './types.js';

/**
 * Lets at most `limit` calls begin `per` ms, or what they `cost`; the others are refused with
 * {@link RateLimitExceededException}, or wait for their turn.
 *
 * There is no built-in value. Without a name each method has a limit of its own; methods that name one share it. A name
 * alone takes its options from `policies` or from another decorator. `false`: no limit here, whatever the class or a set
 * says.
 *
 * @example
 * @RateLimit({ limit: 100, per: 60_000, key: (tenant: string) => tenant, overrides: { acme: 1_000 } })
 * search(tenant: string, query: string): Promise<Hit[]> { ... }
 *
 * @example
 * @RateLimit('llm', { limit: 90_000, per: 60_000, onLimit: 'queue', cost: (prompt: Prompt) => prompt.tokens })
 * complete(prompt: Prompt): Promise<string> { ... }
 *
 * @publicApi
 */
export function RateLimit(options?: RateLimitOptions | false): GuardDecorator;
export function RateLimit(name: string, options?: RateLimitOptions): GuardDecorator;
export function RateLimit(...args: unknown[]): GuardDecorator {
  return policyDecorator('rateLimit', '@RateLimit({ limit: 100, per: 1_000 })', args) as GuardDecorator;
}
