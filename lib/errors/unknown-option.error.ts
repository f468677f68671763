import { ResilienceConfigurationError } from './configuration.error.js';

/** An option, or a form of one, that this version does not know: a slip, or one that a later version has. */
export class UnknownOptionError extends ResilienceConfigurationError {
  constructor(
    place: string,
    readonly option: string,
    problem: string,
  ) {
    super(place, problem);
  }
}
