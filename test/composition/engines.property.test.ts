import { Logger } from '@nestjs/common';
import * as library from 'nestjs-bulwark';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { arbitraryScript } from '../support/engines/arbitrary-script.js';
import { loadEngine, type Engine } from '../support/engines/engine.js';
import { printDifference } from '../support/engines/print-script.js';
import type { Script } from '../support/engines/script.js';
import { runSideBySide, type Difference } from '../support/engines/side-by-side.js';
import { runs } from '../support/runs.js';

/** The built entries of two versions; without the second it is the source. */
const { OLD_ENGINE, NEW_ENGINE } = process.env;
/** What a failure names: `ENGINES_SEED=1 npx vitest ...` repeats its run, with `ENGINES_PATH=1:0:3` its last script alone. */
const { ENGINES_SEED, ENGINES_PATH } = process.env;

/** More are counted, and not printed. */
const MAX_PRINTED = 25;
/** How long one of them is made shorter. */
const SHORTENED_FOR_MS = 10_000;

// The context of calls, once it is there, is there for the process: it comes last.
it.skipIf(OLD_ENGINE === undefined).each([{ callContext: false }, { callContext: true }])(
  'two engines give the same answers, attempts, counts and events (skipped: OLD_ENGINE names no dist/lib/index.js): callContext $callContext',
  { timeout: 7_200_000 },
  async ({ callContext }) => {
    Logger.overrideLogger(false);
    const old = await loadEngine('old', OLD_ENGINE as string);
    const now: Engine = NEW_ENGINE === undefined ? { name: 'new', library } : await loadEngine('new', NEW_ENGINE);
    const seed = ENGINES_SEED === undefined ? Date.now() % 2 ** 31 : Number(ENGINES_SEED);
    const tally = { scripts: 0, refused: 0, runs: 0, differ: 0 };
    const intended: Record<string, number> = {};
    const differing: number[] = [];
    const begun = performance.now();

    // All of them first, so that one difference hides no other.
    if (ENGINES_PATH === undefined)
      await fc.check(
        fc.asyncProperty(arbitraryScript, async (script) => {
          const result = await runSideBySide(script, [old, now], callContext);
          if (result.difference !== undefined) differing.push(tally.scripts);
          tally.scripts++;
          if (result.refused) tally.refused++;
          for (const name of result.intended) intended[name] = (intended[name] ?? 0) + 1;
          tally.runs += result.runs;
        }),
        { seed, numRuns: runs(1_000, 10_000) },
      );
    tally.differ = differing.length;
    const seconds = ((performance.now() - begun) / 1_000).toFixed(0);
    console.log(`seed ${seed}: ${JSON.stringify({ ...tally, intended })} in ${seconds} s`);

    const paths = ENGINES_PATH === undefined ? differing.map(String) : [ENGINES_PATH];
    const printed: string[] = [];
    for (const path of paths.slice(0, MAX_PRINTED)) printed.push(await shortest(seed, path, [old, now], callContext));
    if (paths.length > 0) expect.fail(`${paths.length} differ\n${printed.join('\n\n')}`);
    expect(tally.refused / tally.scripts).toBeLessThan(0.05);
  },
);

/** Makes a script that two engines answer differently as short as it can be, and prints it. */
async function shortest(
  seed: number,
  path: string,
  engines: readonly [Engine, Engine],
  callContext: boolean,
): Promise<string> {
  let found: { script: Script; difference: Difference } | undefined;
  const until = performance.now() + SHORTENED_FOR_MS;
  const outcome = await fc.check(
    fc.asyncProperty(arbitraryScript, async (script) => {
      if (found !== undefined && performance.now() > until) return true;
      const { difference } = await runSideBySide(script, engines, callContext);
      // The last that fails is the shortest.
      if (difference !== undefined) found = { script, difference };
      return difference === undefined;
    }),
    { seed, path, numRuns: 1 },
  );
  if (found === undefined) return `ENGINES_SEED=${seed} ENGINES_PATH=${path}: the same when it is run alone`;
  const after = `ENGINES_SEED=${seed} ENGINES_PATH=${outcome.counterexamplePath}, ${outcome.numShrinks} times made shorter`;
  return `${after}:\n${printDifference(found.script, found.difference, ['old', 'new'])}`;
}
