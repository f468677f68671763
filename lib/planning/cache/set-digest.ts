import { recipeOf } from '../../kernel/options/recipe.js';
import { isPlainObject } from '../../kernel/options/check.js';

/** Deeper than this nobody writes options. */
const MAX_DEPTH = 8;

/** By what two sets are told apart: equal ones have the same text and the same parts. */
export interface SetDigest {
  readonly text: string;
  /** What is itself alone: functions, and values that a fallback hands out. */
  readonly parts: readonly object[];
}

/** Puts a set into words. Two that hold the same in another order count as two, which costs a plan and nothing else. */
export function digestOf(set: object): SetDigest {
  const parts: object[] = [];
  try {
    return { text: write(set, parts, 0), parts };
  } catch {
    // What cannot be read is told where the plan is made, with its place.
    return { text: '*', parts: [set] };
  }
}

function write(value: unknown, parts: object[], depth: number): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value !== 'object' || value === null)
    return typeof value === 'function' ? part(value, parts) : String(value);
  if (depth > MAX_DEPTH) return part(value, parts);
  if (Array.isArray(value)) {
    let list = '[';
    for (const one of value as unknown[]) list += `${write(one, parts, depth + 1)},`;
    return `${list}]`;
  }
  const recipe = recipeOf(value);
  if (recipe !== undefined) return `${recipe.kind}(${write(recipe.options, parts, depth + 1)})`;
  return isOptions(value) ? writeOptions(value, parts, depth) : part(value, parts);
}

function writeOptions(options: Readonly<Record<string, unknown>>, parts: object[], depth: number): string {
  let text = '{';
  for (const key of Object.keys(options)) {
    const option = options[key];
    if (option === undefined) continue;
    // What a fallback answers with is handed out: whoever changes it must not change it for others.
    const isAnswer = key === 'value' && typeof option === 'object' && option !== null;
    text += `${quoted(key)}:${isAnswer ? part(option, parts) : write(option, parts, depth + 1)},`;
  }
  return `${text}}`;
}

/** The names of options are few, and come again at each call. */
const MAX_QUOTED = 200;
const quotedNames = new Map<string, string>();

function quoted(name: string): string {
  const known = quotedNames.get(name);
  if (known !== undefined) return known;
  const text = JSON.stringify(name);
  if (quotedNames.size < MAX_QUOTED) quotedNames.set(name, text);
  return text;
}

function part(value: object, parts: object[]): string {
  parts.push(value);
  return '*';
}

function isOptions(value: object): value is Record<string, unknown> {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null || isPlainObject(value);
}
