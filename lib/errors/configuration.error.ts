import { instanceOf } from './foreign.js';

/**
 * Mistakes in options or decorators, found when the app starts (or at the first call of a class used without the
 * module). The message names for each the place, the option, the value and what was expected.
 *
 * @publicApi
 */
export class ResilienceConfigurationError extends Error {
  override readonly name = 'ResilienceConfigurationError';
  readonly code = 'INVALID_CONFIGURATION';
  readonly #several: readonly ResilienceConfigurationError[] | undefined;

  /** @param errors where several mistakes are told at once: one error for each. */
  constructor(
    /** Where: `Class.method, @Decorator` or a path in the module's options. */
    readonly place: string,
    problem: string,
    errors?: readonly ResilienceConfigurationError[],
  ) {
    super(`${place}: ${problem}`);
    this.#several = errors;
  }

  // Not `errors`: inspection would print each of them again.
  /** Every mistake that it tells, each with its own place; this one itself where it tells one. */
  get mistakes(): readonly ResilienceConfigurationError[] {
    return this.#several ?? [this];
  }

  /** One error for all of several; what says the same as another is told once. */
  static all(place: string, errors: readonly ResilienceConfigurationError[]): ResilienceConfigurationError {
    const told = [...new Map(errors.flatMap((one) => one.mistakes).map((one) => [one.message, one])).values()];
    const [only] = told;
    if (only !== undefined && told.length === 1) return only;
    const list = told.map(({ message }) => `- ${message}`).join('\n');
    return new ResilienceConfigurationError(place, `${told.length} mistakes:\n${list}`, told);
  }
}

/** Collects mistakes, so that all are told at once. */
export class Mistakes {
  readonly #found: ResilienceConfigurationError[] = [];

  get any(): boolean {
    return this.#found.length > 0;
  }

  add(error: ResilienceConfigurationError): void {
    this.#found.push(...error.mistakes);
  }

  /** Does `work`, and keeps the mistake that it tells; any other error is thrown on. */
  in<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      if (!instanceOf(error, ResilienceConfigurationError)) throw error;
      this.add(error);
      return undefined;
    }
  }

  /** @throws ResilienceConfigurationError for all that were found, if there are any. */
  throwAny(place: string): void {
    if (this.any) throw ResilienceConfigurationError.all(place, this.#found);
  }
}
