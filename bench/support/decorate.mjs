/** Puts decorators on a method, as the compiler does for `@A() @B() method()`; a class is decorated by calling them. */
export function decorate(prototype, key, ...decorators) {
  const descriptor = Object.getOwnPropertyDescriptor(prototype, key);
  for (const decorator of decorators.toReversed()) decorator(prototype, key, descriptor);
  Object.defineProperty(prototype, key, descriptor);
}
