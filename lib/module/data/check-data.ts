import { ResilienceConfigurationError } from '../../errors/configuration.error.js';
import { isPlainObject, show } from '../../kernel/options/check.js';
import type { DataService } from '../../data/port/data.service.js';

const EXPECTED =
  'a provider recipe such as fileData({ path }), { useClass }, { useFactory, inject }, { useExisting } or { useValue }';
const KINDS = ['useClass', 'useFactory', 'useExisting', 'useValue'];
const METHODS = ['get', 'put', 'delete', 'entries', 'entry', 'ping', 'close'] satisfies (keyof DataService)[];

/**
 * Checks what was given as a recipe of a data service.
 *
 * @param place where it was written: `ResilienceModule.forRoot, dataServices.orders`.
 * @throws ResilienceConfigurationError naming the place, what is there and what was expected.
 */
export function checkRecipe(place: string, recipe: unknown): void {
  const problem = isPlainObject(recipe) ? problemOf(recipe) : `got ${show(recipe)}`;
  if (problem !== undefined) throw new ResilienceConfigurationError(place, `expected ${EXPECTED}, ${problem}`);
}

/**
 * Checks what a recipe has led to.
 *
 * @throws ResilienceConfigurationError naming the place, how the service was come by, and what it lacks.
 */
export function checkService(place: string, origin: string, service: unknown): asserts service is DataService {
  const missing =
    typeof service === 'object' && service !== null
      ? METHODS.find((method) => typeof Reflect.get(service, method) !== 'function')
      : METHODS[0];
  if (missing === undefined) return;
  const found = typeof service === 'object' && service !== null ? 'an object' : show(service);
  throw new ResilienceConfigurationError(
    place,
    `${origin} gave ${found} without ${missing}(); expected a DataService, such as that of FileDataService.open({ path })`,
  );
}

function problemOf(recipe: Readonly<Record<string, unknown>>): string | undefined {
  const keys = Object.keys(recipe);
  const kinds = KINDS.filter((kind) => Object.hasOwn(recipe, kind));
  const [kind] = kinds;
  if (kind === undefined || kinds.length > 1) return `got an object with ${keys.join(', ') || 'nothing in it'}`;
  const stranger = keys.find((key) => key !== kind && !(key === 'inject' && kind === 'useFactory'));
  if (stranger !== undefined) return `got '${stranger}' beside ${kind}`;
  const { inject = [], [kind]: value } = recipe;
  if (!Array.isArray(inject)) return `got 'inject' ${show(inject)} that is no list of tokens`;
  const callable = kind === 'useClass' || kind === 'useFactory';
  return value === undefined || value === null || (callable && typeof value !== 'function')
    ? `got ${kind} ${show(value)}`
    : undefined;
}
