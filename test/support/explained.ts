/** Matches an error that says so: to the operator, where that is apart from its public message. */
export function explained(text: string | RegExp): { asymmetricMatch(error: unknown): boolean; toString(): string } {
  return {
    asymmetricMatch: (error) => {
      const { explanation, message } = Object(error) as { explanation?: unknown; message?: unknown };
      const said = String(explanation ?? message);
      return typeof text === 'string' ? said.includes(text) : text.test(said);
    },
    toString: () => `an error that explains ${String(text)}`,
  };
}
