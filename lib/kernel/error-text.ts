import { inspect } from 'node:util';
import { instanceOf, invoke } from '../errors/foreign.js';

/** How much of an error's text a refusal quotes, in UTF-16 units. */
const QUOTED = 200;
/** How much of an object that says nothing of itself is shown. */
const GLANCE = { depth: 1, breakLength: Infinity, compact: true, maxArrayLength: 5, maxStringLength: QUOTED } as const;

/** What an error says to the operator, whatever was thrown. It never throws: reading a strange value may. */
export function textOf(error: unknown): string {
  return guarded(() => textOfThrown(error), error);
}

/** The name and the text of an error, cut to what a line of a log bears. */
export function describeError(error: unknown): string {
  const text = guarded(() => {
    const said = textOfThrown(error);
    const name = instanceOf(error, Error) ? stringAt(error, 'name') : undefined;
    return name === undefined || name === said ? said : said === '' ? name : `${name}: ${said}`;
  }, error);
  return text.length > QUOTED ? `${text.slice(0, QUOTED - 3)}...` : text;
}

function textOfThrown(error: unknown): string {
  // Of an error of ours the message is for clients.
  if (instanceOf(error, Error))
    return stringAt(error, 'explanation') ?? stringAt(error, 'message') ?? codeOf(error) ?? innerTextOf(error) ?? '';
  if (typeof error === 'function') return inspect(error);
  if (typeof error !== 'object' || error === null) return String(error);
  const message = stringAt(error, 'message');
  const code = codeOf(error);
  if (message !== undefined) return code === undefined ? message : `${message} (${code})`;
  return code ?? ownWords(error) ?? inspect(error, GLANCE);
}

/** Node tells of a failed connection by an error without a message, which holds those of all addresses. */
function innerTextOf(error: Error): string | undefined {
  const { errors } = error as { errors?: unknown };
  if (!Array.isArray(errors) || errors.length === 0) return undefined;
  const first: unknown = errors[0];
  return first === error ? undefined : textOfThrown(first);
}

/** What its own `toString()` gives; that of all objects says nothing. */
function ownWords(error: object): string | undefined {
  const words = invoke(error, 'toString');
  return typeof words === 'string' && words !== '' && !words.includes('[object ') ? words : undefined;
}

function codeOf(error: object): string | undefined {
  const { code } = error as { code?: unknown };
  return typeof code === 'number' ? String(code) : stringAt(error, 'code');
}

function stringAt(error: object, key: string): string | undefined {
  const value = (error as Record<string, unknown>)[key];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Getters, proxies, `toString()` and a custom inspection may throw, each of them. */
function guarded(read: () => string, error: unknown): string {
  try {
    return read();
  } catch {
    try {
      return inspect(error, { ...GLANCE, customInspect: false });
    } catch {
      return 'a value that cannot be read';
    }
  }
}
