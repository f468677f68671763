const SURROGATES = 0xd800;
const ABOVE_SURROGATES = 0xe000;
const LAST_CODE_POINT = 0x10ffff;

/**
 * Compares two well-formed strings by the bytes of their UTF-8 form, as every backend does. JavaScript's own `<`
 * compares UTF-16 units, which puts U+1F600 before U+FFFD.
 */
export function compareUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const left = a.charCodeAt(i);
    const right = b.charCodeAt(i);
    if (left !== right) return rank(left) - rank(right);
  }
  return a.length - b.length;
}

/** Moves the surrogates, which stand for the code points above U+FFFF, behind all other units. */
function rank(unit: number): number {
  if (unit < SURROGATES) return unit;
  return unit < ABOVE_SURROGATES ? unit + 0x10000 : unit;
}

/**
 * The first string, in the order of {@link compareUtf8}, behind all those that begin with `prefix`; undefined where
 * nothing lies behind them.
 */
export function endOfPrefix(prefix: string): string | undefined {
  const points = Array.from(prefix, (character) => character.codePointAt(0) ?? 0);
  for (let last = points.pop(); last !== undefined; last = points.pop()) {
    if (last === LAST_CODE_POINT) continue;
    const next = last + 1 === SURROGATES ? ABOVE_SURROGATES : last + 1;
    return String.fromCodePoint(...points, next);
  }
  return undefined;
}
