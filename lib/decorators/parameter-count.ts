import 'reflect-metadata';
import type { AnyFunction } from '../guarded/guarded-method.js';

/**
 * How many parameters a method declares, optional ones included; undefined where that cannot be known, and for a method
 * with a rest parameter.
 *
 * The compiler's metadata says it. Without them (tsx, esbuild) `length` leaves out all from the first default value on,
 * so the source text is counted.
 *
 * @see https://tc39.es/ecma262/#sec-function-definitions-static-semantics-expectedargumentcount why `length` says less
 */
export function parameterCountOf(method: AnyFunction, prototype: object, name: string): number | undefined {
  const types: unknown = Reflect.getMetadata('design:paramtypes', prototype, name);
  const written = countParameters(Function.prototype.toString.call(method));
  if (!Array.isArray(types))
    return written === 'native' ? method.length : written?.rest === false ? written.count : undefined;
  // A decorator of another library may have put a function with `...args` in the place of the method.
  const rest = typeof written === 'object' && written.rest && written.count > 1 && written.count === types.length;
  return rest ? undefined : types.length;
}

interface Parameters {
  readonly count: number;
  readonly rest: boolean;
}

const CLOSING: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };

/** Counts the parameters in the text of a function; undefined where a slash might begin a pattern. */
function countParameters(text: string): Parameters | 'native' | undefined {
  if (text.endsWith('{ [native code] }')) return 'native';
  const open = skipTo(text, 0, '(');
  const arrow = text.indexOf('=>');
  if (open === undefined || (arrow >= 0 && arrow < open)) return arrow < 0 ? undefined : { count: 1, rest: false };
  let count = 0;
  let rest = false;
  let at = open + 1;
  for (;;) {
    const end = skipTo(text, at, ',)');
    if (end === undefined) return undefined;
    const parameter = withoutComments(text.slice(at, end));
    if (parameter !== '') count++;
    rest ||= parameter.startsWith('...');
    if (text[end] === ')') return { count, rest };
    at = end + 1;
  }
}

/** The place of the first of `wanted` from `from` on that stands outside of brackets, strings and comments. */
function skipTo(text: string, from: number, wanted: string): number | undefined {
  const awaited: string[] = [];
  for (let at = from; at < text.length; at++) {
    const character = text[at] as string;
    if (awaited.length === 0 && wanted.includes(character)) return at;
    if (character === '/') {
      const end = endOfComment(text, at);
      if (end === undefined) return undefined;
      at = end;
    } else if (character === '"' || character === "'") at = endOfString(text, at);
    else if (character === '`' || (character === '}' && awaited.at(-1) === '`')) {
      if (character === '}') awaited.pop();
      at = endOfTemplate(text, at);
      if (text[at] === '{') awaited.push('`');
    } else if (character in CLOSING) awaited.push(CLOSING[character] as string);
    else if (character === awaited.at(-1)) awaited.pop();
  }
  return undefined;
}

/** Undefined: it begins no comment. */
function endOfComment(text: string, at: number): number | undefined {
  const [mark, length] = text[at + 1] === '/' ? ['\n', 1] : text[at + 1] === '*' ? ['*/', 2] : [undefined, 0];
  if (mark === undefined) return undefined;
  const end = text.indexOf(mark, at + 2);
  return end < 0 ? text.length : end + length - 1;
}

function endOfString(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === text[from]) return at;
  }
  return text.length;
}

/** The end of a template's text: its last backtick, or the bracket in which an expression begins. */
function endOfTemplate(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '`') return at;
    else if (text[at] === '$' && text[at + 1] === '{') return at + 1;
  }
  return text.length;
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[^]*?\*\/|\/\/[^\n]*/g, '').trim();
}
