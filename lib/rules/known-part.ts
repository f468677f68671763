import { join, ROOT } from './plain-data.js';
import { unknownFieldsOf, type UnknownField } from './read-rules.js';

/** What a document says in words of this version. */
export interface KnownPart {
  readonly document: unknown;
  /** The paths of what was left out, such as `policies.payments.retry.newOption`. */
  readonly unknown: readonly string[];
}

/** Each reading may find what the one before had hidden; a document that goes on so for longer is refused by what is left. */
const MOST_READINGS = 20;

/** Where a value stands in a document. */
interface Place {
  readonly holder: Record<string, unknown>;
  readonly key: string;
  readonly depth: number;
}

/** What was cut into, by the value; the document itself is not among it. */
type Touched = Map<object, Place>;

/**
 * A document without what this version does not know: a later one, which the app's other processes may run already, has
 * fields of its own. What holds nothing else goes with it. Everything else stays, right or wrong. It takes time in
 * proportion to the document, since nothing else of the process runs meanwhile.
 */
export function knownPartOf(document: unknown): KnownPart {
  const unknown: string[] = [];
  let found = unknownFieldsOf(document);
  const known = found.length === 0 ? document : structuredClone(document);
  // What is wrong inside one field may be seen only when what stands beside it has gone.
  for (let readings = 1, before = -1; found.length > 0 && unknown.length > before; found = unknownFieldsOf(known)) {
    if (readings++ > MOST_READINGS) break;
    before = unknown.length;
    const touched: Touched = new Map();
    for (const field of found) {
      const path = cut(known, field, touched);
      if (path !== undefined) unknown.push(path);
    }
    removeEmpty(touched);
  }
  return { document: known, unknown };
}

/** Cuts a field out of what holds it, or of what is inside that. @returns the path of it; undefined: it is not there. */
function cut(
  holder: unknown,
  { at, field }: UnknownField,
  touched: Touched,
  path: string = ROOT,
  depth = 0,
): string | undefined {
  if (typeof holder !== 'object' || holder === null) return undefined;
  const inside = holder as Record<string, unknown>;
  if (at.length === 0 && Object.hasOwn(inside, field)) {
    remove(inside, field);
    return join(path, field);
  }
  for (const key of at.length === 0 ? Object.keys(inside) : at.slice(0, 1)) {
    if (!Object.hasOwn(inside, key)) continue;
    const found = cut(inside[key], { at: at.slice(1), field }, touched, join(path, key), depth + 1);
    if (found === undefined) continue;
    touched.set(inside[key] as object, { holder: inside, key, depth });
    return found;
  }
  return undefined;
}

/** Looks once at each of those that have lost something, the innermost first. */
function removeEmpty(touched: Touched): void {
  const inmost = [...touched].sort(([, one], [, other]) => other.depth - one.depth);
  for (const [value, { holder, key }] of inmost) {
    if (Object.keys(value).length > 0) continue;
    // What stood before it in a list may have gone.
    remove(holder, Array.isArray(holder) ? String(holder.indexOf(value)) : key);
  }
}

function remove(holder: Record<string, unknown>, key: string): void {
  if (Array.isArray(holder)) holder.splice(Number(key), 1);
  else delete holder[key];
}
