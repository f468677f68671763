/** Everything that may differ between two engines, as text. */

const MAX_DEPTH = 4;

export function textOf(value: unknown, depth = 0): string {
  if (value instanceof Error) return textOfError(value, depth);
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'function') return `function ${value.name}`;
  if (typeof value !== 'object' || value === null) return String(value);
  if (depth > MAX_DEPTH) return '...';
  if (Array.isArray(value)) return `[${value.map((one) => textOf(one, depth + 1)).join(', ')}]`;
  return fieldsOf(Object.entries(value), depth);
}

/** Its class, and all that it tells: to clients, to operators, and to who reads its cause. */
function textOfError(error: Error, depth: number): string {
  if (depth > MAX_DEPTH) return `${error.constructor.name} ...`;
  const told = error as Error & Record<string, unknown>;
  const facts = [
    'code',
    'status',
    'policy',
    'instanceName',
    'explanation',
    'retryAfterMs',
    'details',
    'refusal',
    'cause',
  ]
    .map((key): [string, unknown] => [key, told[key]])
    .filter(([, fact]) => fact !== undefined);
  const status = typeof told['getStatus'] === 'function' ? ` ${String(told['getStatus']())}` : '';
  return `${error.constructor.name}${status} ${error.name} ${JSON.stringify(error.message)} ${fieldsOf(facts, depth)}`;
}

function fieldsOf(entries: readonly [string, unknown][], depth: number): string {
  const fields = entries
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}: ${textOf(value, depth + 1)}`);
  return fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`;
}
