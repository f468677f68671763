/** What one of our own functions made a value from: two values of one recipe do the same. */
export interface Recipe {
  readonly kind: string;
  readonly options: unknown;
}

const recipes = new WeakMap<object, Recipe>();

/** Notes what `value` was made from. What users write themselves has no recipe, whatever it looks like. */
export function made<T extends object>(value: T, kind: string, options: unknown): T {
  recipes.set(value, { kind, options });
  return value;
}

/** What a value was made from; undefined where none of our own functions made it. */
export function recipeOf(value: unknown): Recipe | undefined {
  return typeof value === 'object' && value !== null ? recipes.get(value) : undefined;
}
