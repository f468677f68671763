/** The arguments of a decorator that takes a name, options in any form, or both. */
export function nameAndOptions([first, second]: readonly unknown[]): { name?: string; setting: unknown } {
  return typeof first === 'string' ? { name: first, setting: second } : { setting: first };
}
