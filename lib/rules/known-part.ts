import { join, ROOT } from './plain-data.js';
import { unknownFieldsOf, type UnknownField } from './read-rules.js';

/** What a document says in words of this version. */
export interface KnownPart {
  readonly document: unknown;
  /** The paths of what was left out, such as `policies.payments.retry.newOption`. */
  readonly unknown: readonly string[];
}

/**
 * A document without what this version does not know: a later one, which the app's other processes may run already, has
 * fields of its own. What holds nothing else goes with it. Everything else stays, right or wrong.
 */
export function knownPartOf(document: unknown): KnownPart {
  const unknown: string[] = [];
  let found = unknownFieldsOf(document);
  const known = found.length === 0 ? document : structuredClone(document);
  // What is wrong inside one field may be seen only when what stands beside it has gone.
  for (let before = -1; found.length > 0 && unknown.length > before; found = unknownFieldsOf(known)) {
    before = unknown.length;
    for (const field of found) unknown.push(...cut(known, field));
  }
  return { document: known, unknown };
}

/** Cuts a field out of what holds it, or of what is inside that. @returns the path of it; none: it is not there. */
function cut(holder: unknown, { at, field }: UnknownField, path: string = ROOT): string[] {
  if (typeof holder !== 'object' || holder === null) return [];
  const inside = holder as Record<string, unknown>;
  if (at.length === 0 && Object.hasOwn(inside, field)) {
    remove(inside, field);
    return [join(path, field)];
  }
  for (const key of at.length === 0 ? Object.keys(inside) : at.slice(0, 1)) {
    const [found] = cut(inside[key], { at: at.slice(1), field }, join(path, key));
    if (found === undefined) continue;
    if (Object.keys(inside[key] as object).length === 0) remove(inside, key);
    return [found];
  }
  return [];
}

function remove(holder: Record<string, unknown>, key: string): void {
  if (Array.isArray(holder)) holder.splice(Number(key), 1);
  else delete holder[key];
}
