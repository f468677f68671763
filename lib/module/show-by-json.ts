import { inspect, type InspectOptions } from 'node:util';

/** Lets the console show of a handle what its `toJSON()` says, and nothing of how it is made. */
export function showByJson(handle: { readonly name: string; readonly prototype: { toJSON(): object } }): void {
  const { name } = handle;
  Object.defineProperty(handle.prototype, inspect.custom, {
    value(this: { toJSON(): object }, depth: number, options: InspectOptions): string {
      return depth < 0 ? `[${name}]` : `${name} ${inspect(this.toJSON(), { ...options, depth })}`;
    },
  });
}
