import type { PolicyRuleSettings } from '../policies/kinds.js';

/**
 * What a rule can say of each policy: the options of the decorator of that name, as far as they are data. `false` turns
 * the policy off; what the rule does not name stays as the code has it, functions above all.
 *
 * @publicApi
 */
export type PolicyRules = PolicyRuleSettings;

/**
 * Rules as plain data, which JSON and YAML can hold.
 *
 * @example
 * const document: RuleDocument = {
 *   version: 7,
 *   policies: { payments: { timeout: 500, circuitBreaker: { trip: { consecutiveFailures: 5 } } } },
 *   methods: { 'MailService.send': { retry: false } },
 * };
 *
 * @publicApi
 */
export interface RuleDocument {
  /** Whatever tells documents apart; it is told in events, and has no effect. */
  readonly version?: number | string;
  /** By the name of a set, or of what decorators share under a name. */
  readonly policies?: Readonly<Record<string, PolicyRules>>;
  /** By `Class.method`, as `plan()` names it. */
  readonly methods?: Readonly<Record<string, PolicyRules>>;
}

/**
 * What differs between two rule documents at one place.
 *
 * @publicApi
 */
export interface RuleChange {
  /** Where, such as `policies.payments.timeout.perAttempt`. */
  readonly path: string;
  /** What the rules said before; undefined: nothing. */
  readonly from: unknown;
  /** What they say now; undefined: nothing. */
  readonly to: unknown;
}
