import { textOf } from './describe.js';
import type { Script } from './script.js';
import type { Difference } from './side-by-side.js';

/** A counterexample for people: what was guarded, what happened, and the lines in which the engines differ. */
export function printDifference(
  script: Script,
  { step, what, seen }: Difference,
  names: readonly [string, string],
): string {
  const [first, second] = seen;
  const ofFirst = marked(first, second, names[0]);
  const ofSecond = marked(second, first, names[1]);
  const reordered = [first.toSorted(), second.toSorted()].map((lines) => lines.join('\n'));
  return [
    printScript({ ...script, steps: script.steps.slice(0, step) }),
    `differs after step ${step} (${what}):`,
    ...ofFirst,
    ...(reordered[0] === reordered[1]
      ? [`the same in another order, for ${names[1]}:`, ...ofSecond]
      : ofSecond.filter((line) => !line.startsWith('  both: '))),
  ].join('\n');
}

/** Lines with the one that shows them; one that is there twice may be with both but once. */
function marked(lines: string[], others: string[], name: string): string[] {
  const left = [...others];
  return lines.map((line) => {
    const found = left.indexOf(line);
    if (found >= 0) left.splice(found, 1);
    return `  ${found < 0 ? name : 'both'}: ${line}`;
  });
}

function printScript({ stack, kind, gives, steps, ...settings }: Script): string {
  return [
    `a method that gives ${kind === 'learned' ? `${gives}, without saying so` : kind}, under`,
    ...Object.entries(stack)
      .filter(([, options]) => options !== undefined)
      .map(([policy, options]) => `  ${policy}: ${textOf(options)}`),
    `  ${textOf(settings)}`,
    ...steps.map(({ does, ...step }, index) => `  ${index + 1}. ${does} ${textOf(step)}`),
  ].join('\n');
}
