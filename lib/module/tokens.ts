/**
 * The provider of the time that an app's policies go by: a {@link Clock}. A test puts its own in its place, before the app
 * is compiled, and need not wait for anything. Breakers made by hand go by the system's time all the same.
 *
 * @default the system's time
 *
 * @example
 * const module = await Test.createTestingModule({ imports: [AppModule] })
 *   .overrideProvider(RESILIENCE_CLOCK)
 *   .useValue(clock)
 *   .compile();
 *
 * @publicApi
 */
export const RESILIENCE_CLOCK: unique symbol = Symbol.for('nestjs-bulwark:clock');

/**
 * The provider of an app's chance: a function that gives a number from 0 to below 1, for the jitter of pauses and of
 * open times. A test puts its own in its place, so that the same happens each time.
 *
 * @default Math.random
 *
 * @example
 * Test.createTestingModule({ imports: [AppModule] }).overrideProvider(RESILIENCE_RANDOM).useValue(() => 0.5);
 *
 * @publicApi
 */
export const RESILIENCE_RANDOM: unique symbol = Symbol.for('nestjs-bulwark:random');

/** The provider by which a guarded instance finds the runtime of its app. */
export const RUNTIME = Symbol.for('nestjs-bulwark:runtime');

/** Where the instance takes it; a property that decorators register for injection. */
export const RUNTIME_PROPERTY = Symbol.for('nestjs-bulwark:inject');

/** By which a runtime says of which copy of the package it is. */
export const PACKAGE_COPY = Symbol.for('nestjs-bulwark:copy');
