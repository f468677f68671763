import { ResilienceConfigurationError } from '../errors/configuration.error.js';

/** The second of the two that must say so. */
export const VARIABLE = 'BULWARK_TESTING_IN_PRODUCTION';

/**
 * Faults in production are no accident: an option and a variable of the environment must both say so.
 *
 * @throws ResilienceConfigurationError
 */
export function refuseProduction(place: string, isAllowed: boolean): void {
  if (process.env.NODE_ENV !== 'production') return;
  const missing = [
    ...(isAllowed ? [] : ['the option { inProduction: true }']),
    ...(process.env[VARIABLE] === '1' ? [] : [`the environment variable ${VARIABLE}=1`]),
  ];
  if (missing.length === 0) return;
  throw new ResilienceConfigurationError(
    place,
    `NODE_ENV is 'production', where nothing of a test may stand in the way of calls; expected ${missing.join(' and ')} too`,
  );
}
