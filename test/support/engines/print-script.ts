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
  const only = (lines: string[], others: string[], name: string): string[] =>
    lines.filter((line) => !others.includes(line)).map((line) => `  ${name}: ${line}`);
  const differing = [...only(first, second, names[0]), ...only(second, first, names[1])];
  return [
    printScript({ ...script, steps: script.steps.slice(0, step) }),
    `differs after step ${step} (${what}):`,
    ...(differing.length > 0 ? differing : ['  the same, in another order']),
    `all that ${names[0]} shows then:`,
    ...first.map((line) => `    ${line}`),
    `all that ${names[1]} shows then:`,
    ...second.map((line) => `    ${line}`),
  ].join('\n');
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
