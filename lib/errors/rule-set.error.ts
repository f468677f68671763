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

/** The message names so many faults; the property has all. */
const MAX_TOLD = 100;
const MAX_LINE = 1_000;

/**
 * A rule document was refused as a whole; the rules that were in force before stay in force. The message names each
 * fault with its path, up to 100 of them.
 *
 * @publicApi
 */
export class RuleSetError extends ResilienceConfigurationError {
  constructor(
    place: string,
    /** Everything that is wrong. */
    readonly faults: readonly RuleFault[],
  ) {
    super(place, `refused, nothing was changed:\n${list(faults)}`);
  }
}

function list(faults: readonly RuleFault[]): string {
  const lines = faults.slice(0, MAX_TOLD).map(({ path, message }) => shortened(`- ${path}: ${message}`));
  if (faults.length > MAX_TOLD) lines.push(`- and ${faults.length - MAX_TOLD} more`);
  return lines.join('\n');
}

function shortened(line: string): string {
  return line.length > MAX_LINE ? `${line.slice(0, MAX_LINE)}...` : line;
}
