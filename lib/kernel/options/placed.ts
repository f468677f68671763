import { ResilienceConfigurationError } from '../../errors/configuration.error.js';
import { instanceOf } from '../../errors/foreign.js';
import { UnknownOptionError } from '../../errors/unknown-option.error.js';

/**
 * Does `work`, whose mistakes name a function of ours and not where in the configuration it was asked for: they name
 * `place` as well.
 */
export function placed<T>(place: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!instanceOf(error, ResilienceConfigurationError)) throw error;
    const errors = error.mistakes.map((one) => (one.place.startsWith(place) ? one : at(place, one)));
    throw ResilienceConfigurationError.all(place, errors);
  }
}

function at(place: string, one: ResilienceConfigurationError): ResilienceConfigurationError {
  return instanceOf(one, UnknownOptionError)
    ? new UnknownOptionError(place, one.option, one.message)
    : new ResilienceConfigurationError(place, one.message);
}
