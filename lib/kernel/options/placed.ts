import { ResilienceConfigurationError } from '../../errors/configuration.error.js';
import { instanceOf } from '../../errors/foreign.js';

/**
 * Does `work`, whose mistakes name a function of ours and not where in the configuration it was asked for: they name
 * `place` as well.
 */
export function placed<T>(place: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!instanceOf(error, ResilienceConfigurationError)) throw error;
    const errors = error.mistakes.map((one) =>
      one.place.startsWith(place) ? one : new ResilienceConfigurationError(place, one.message),
    );
    throw ResilienceConfigurationError.all(place, errors);
  }
}
