const known = new Map<string, string>();

/** A name of ours, `halfOpen`, as the values of labels and attributes are written: `half_open`. */
export function snakeCase(name: string): string {
  let snake = known.get(name);
  if (snake === undefined) known.set(name, (snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)));
  return snake;
}
