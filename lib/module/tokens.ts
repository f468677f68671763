/** The provider by which a guarded instance finds the runtime of its app. */
export const RUNTIME = Symbol.for('nestjs-bulwark:runtime');

/** Where the instance takes it; a property that decorators register for injection. */
export const RUNTIME_PROPERTY = Symbol.for('nestjs-bulwark:inject');

/** By which a runtime says of which copy of the package it is. */
export const PACKAGE_COPY = Symbol.for('nestjs-bulwark:copy');
