import { inspect } from 'node:util';

/**
 * What an error says, for logs and for the explanation of another error; never failing, whatever was thrown. Errors of
 * ours have it apart from the message, which is public.
 */
export function textOf(error: unknown): string {
  try {
    if (!(error instanceof Error)) return typeof error === 'string' ? error : inspect(error);
    const { explanation } = error as { explanation?: unknown };
    if (typeof explanation === 'string') return explanation;
    return error.message === '' ? String(error) : error.message;
  } catch {
    return 'an error that cannot be read';
  }
}
