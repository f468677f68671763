/** What calls a method from outside. */
export interface HandlerFacts {
  /** An HTTP method in capitals, or what a message, an event or an operation of GraphQL is. */
  readonly calledBy: string;
  /** Whether it may give any number of answers. */
  readonly streams: boolean;
}

/** What changes something each time that it comes, as far as its kind says. */
const UNSAFE: ReadonlySet<string> = new Set(['POST', 'PATCH', 'ALL', 'EVENT', 'MUTATION']);

/** @see https://www.rfc-editor.org/rfc/rfc9110#name-idempotent-methods */
export function mayChangeTwice({ calledBy }: HandlerFacts): boolean {
  return UNSAFE.has(calledBy);
}

/** Whether an interceptor repeats calls of a handler that says nothing of being repeated; `methods` are its own. */
export function repeatedBy(methods: readonly string[], { calledBy }: HandlerFacts): boolean {
  if (calledBy === 'ALL') return true;
  if (calledBy === 'MUTATION' || calledBy === 'SUBSCRIPTION') return false;
  return ['EVENT', 'MESSAGE', 'QUERY'].includes(calledBy) || methods.includes(calledBy);
}
