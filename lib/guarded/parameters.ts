import type { AnyFunction } from './guarded-method.js';

/** The parameters that the source of a function declares. */
export interface WrittenParameters {
  /** Their names, in order; `''` for a pattern. */
  readonly names: readonly string[];
  /** Whether the last takes all the rest. */
  readonly rest: boolean;
}

const CLOSING: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };

/**
 * Reads the parameters in the source of a function.
 *
 * @returns `'native'` where there is no source; undefined where a slash might begin a regular expression.
 */
export function parametersOf(method: AnyFunction): WrittenParameters | 'native' | undefined {
  const text = Function.prototype.toString.call(method);
  if (text.endsWith('{ [native code] }')) return 'native';
  const open = skipTo(text, 0, '(');
  const arrow = text.indexOf('=>');
  if (open === undefined || (arrow >= 0 && arrow < open))
    return arrow < 0 ? undefined : { names: [nameIn(text.slice(0, arrow).replace(/^async\s/, ''))], rest: false };
  const names: string[] = [];
  let rest = false;
  let at = open + 1;
  for (;;) {
    const end = skipTo(text, at, ',)');
    if (end === undefined) return undefined;
    const parameter = withoutComments(text.slice(at, end));
    if (parameter !== '') names.push(nameIn(parameter));
    rest ||= parameter.startsWith('...');
    if (text[end] === ')') return { names, rest };
    at = end + 1;
  }
}

function nameIn(parameter: string): string {
  return /^(?:\.\.\.)?\s*([\p{ID_Start}$_][\p{ID_Continue}$]*)/u.exec(parameter.trim())?.[1] ?? '';
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

/** Source text without its comments; what looks like one inside of a string goes as well. */
export function withoutComments(text: string): string {
  return text.replace(/\/\*[^]*?\*\/|\/\/[^\n]*/g, '').trim();
}
