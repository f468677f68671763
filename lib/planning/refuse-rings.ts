import { Mistakes, ResilienceConfigurationError } from '../errors/configuration.error.js';
import { sureAnswersIn, type NamedAnswer } from './named-answers.js';
import type { Resolution } from './resolution.js';

/**
 * Methods that answer for each other in a ring would never end: each one that fails calls the next, without a pause, until
 * the memory is full. One that answers some errors alone (`on`, `skipOn`) may end the ring, and is taken to mean it.
 *
 * @param methodName the method that is guarded.
 * @param answersOf the methods that always answer for another method of the same class.
 * @throws ResilienceConfigurationError naming the ring.
 */
export function refuseRings(
  place: string,
  methodName: string,
  resolution: Resolution,
  answersOf: (methodName: string) => readonly NamedAnswer[],
): void {
  const mistakes = new Mistakes();
  for (const first of sureAnswersIn(resolution)) {
    const way = wayBack(methodName, first.methodName, answersOf);
    if (way !== undefined) mistakes.add(ring(place, first.label, [methodName, ...way]));
  }
  mistakes.throwAny(place);
}

/** The methods from `from` to `to`, both included; undefined where none leads there. */
function wayBack(
  to: string,
  from: string,
  answersOf: (methodName: string) => readonly NamedAnswer[],
  seen = new Set<string>(),
): string[] | undefined {
  if (from === to) return [to];
  if (seen.has(from)) return undefined;
  seen.add(from);
  for (const { methodName } of answersOf(from)) {
    const rest = wayBack(to, methodName, answersOf, seen);
    if (rest !== undefined) return [from, ...rest];
  }
  return undefined;
}

function ring(place: string, label: string, way: readonly string[]): ResilienceConfigurationError {
  const problem =
    way.length === 2
      ? `'${way[0]}' is to answer for itself, and would call itself without end while it fails`
      : `the methods answer for each other in a ring, and would call each other without end while they fail: ${way.join(' -> ')}`;
  return new ResilienceConfigurationError(
    `${place}, ${label}`,
    `${problem}; expected a method that needs no answer of it`,
  );
}
