import { ResilienceConfigurationError } from '../errors/configuration.error.js';

/**
 * What a module says that stands in an app without the root module.
 *
 * @param module its name, as apps import it.
 * @param purpose what it would do with the root module, as half a sentence: `whose calls could be counted`.
 */
export function noRuntime(module: string, purpose: string): ResilienceConfigurationError {
  return new ResilienceConfigurationError(
    module,
    `there is no ResilienceModule ${purpose}; expected ResilienceModule.forRoot() or forRootAsync() among the imports of the app`,
  );
}
