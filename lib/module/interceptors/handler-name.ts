import type { AnyClass } from '../../guarded/guarded-method.js';

const names = new WeakMap<AnyClass, WeakMap<object, string>>();

/** The name under which a handler stands in its class: other libraries' wrappers have names of their own, or none. */
export function handlerNameOf(controller: AnyClass, handler: { name: string }): string {
  let known = names.get(controller);
  if (known === undefined) names.set(controller, (known = new WeakMap()));
  let name = known.get(handler);
  if (name === undefined) known.set(handler, (name = find(controller, handler) ?? handler.name));
  return name;
}

function find(controller: AnyClass, handler: object): string | undefined {
  for (
    let prototype: unknown = controller.prototype;
    prototype !== null;
    prototype = Object.getPrototypeOf(prototype)
  ) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(prototype as object))) {
      if (value === handler) return name;
    }
  }
  return undefined;
}
