import { ResilienceConfigurationError } from './configuration.error.js';

/**
 * What is wrong at one place of a rule document.
 *
 * @publicApi
 */
export interface RuleFault {
  /** Where, such as `policies.payments.timeout.perAttempt`. */
  readonly path: string;
  /** What was expected there, and what was found. */
  readonly message: string;
  /** What was found. */
  readonly value: unknown;
}

/**
 * A rule document was refused as a whole; the rules that were in force before stay in force. The message names every
 * fault with its path.
 *
 * @publicApi
 */
export class RuleSetError extends ResilienceConfigurationError {
  constructor(
    place: string,
    /** Everything that is wrong. */
    readonly faults: readonly RuleFault[],
  ) {
    super(
      place,
      `refused, nothing was changed:\n${faults.map(({ path, message }) => `- ${path}: ${message}`).join('\n')}`,
    );
  }
}
