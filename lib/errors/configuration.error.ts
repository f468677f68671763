/**
 * A mistake in options or decorators, found when the app starts (or at the first call of a class used without the
 * module). The message names the place, the option, the value and what was expected.
 *
 * @publicApi
 */
export class ResilienceConfigurationError extends Error {
  override readonly name = 'ResilienceConfigurationError';
  readonly code = 'INVALID_CONFIGURATION';

  constructor(
    /** Where: `Class.method, @Decorator` or a path in the module's options. */
    readonly place: string,
    problem: string,
  ) {
    super(`${place}: ${problem}`);
  }
}
