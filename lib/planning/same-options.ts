import { recipeOf } from '../kernel/options/recipe.js';
import { isPlainObject } from '../kernel/options/check.js';
import type { Options } from '../kernel/options/options.js';

/**
 * Whether two definitions of one name say the same. Functions are the same only if they are one: what a closure has
 * closed over nobody can see. What our own functions make is the same by its recipe.
 */
export function sameOptions(one: Options, other: Options): boolean {
  return sameObject(one, other);
}

function same(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false;
  const recipe = recipeOf(one);
  const otherRecipe = recipeOf(other);
  if (recipe !== undefined || otherRecipe !== undefined)
    return recipe?.kind === otherRecipe?.kind && same(recipe?.options, otherRecipe?.options);
  if (Array.isArray(one) || Array.isArray(other))
    return Array.isArray(one) && Array.isArray(other) && sameList(one, other);
  return isPlainObject(one) && isPlainObject(other) && sameObject(one, other);
}

function sameList(one: readonly unknown[], other: readonly unknown[]): boolean {
  return one.length === other.length && one.every((value, index) => same(value, other[index]));
}

/** An option that is `undefined` is as good as absent. */
function sameObject(one: Options, other: Options): boolean {
  const keys = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...keys].every((key) => same(one[key], other[key]));
}
