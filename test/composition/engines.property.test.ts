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

// The context of calls, once it is there, is there for the process: it comes last.
it.skipIf(OLD_ENGINE === undefined).each([{ callContext: false }, { callContext: true }])(
  'two engines give the same answers, attempts, counts and events (skipped: OLD_ENGINE names no dist/lib/index.js): callContext $callContext',
  { timeout: 7_200_000 },
  async ({ callContext }) => {
    Logger.overrideLogger(false);
    const old = await loadEngine('old', OLD_ENGINE as string);
    const now: Engine = NEW_ENGINE === undefined ? { name: 'new', library } : await loadEngine('new', NEW_ENGINE);
    const tally = { scripts: 0, refused: 0, met: 0, runs: 0 };
    let found: { script: Script; difference: Difference } | undefined;
    const begun = performance.now();

    const outcome = await fc.check(
      fc.asyncProperty(arbitraryScript, async (script) => {
        const { difference, refused, met, runs: ofWork } = await runSideBySide(script, [old, now], callContext);
        tally.scripts++;
        if (refused) tally.refused++;
        if (met) tally.met++;
        tally.runs += ofWork;
        // The last that fails is the shortest.
        if (difference !== undefined) found = { script, difference };
        return difference === undefined;
      }),
      {
        numRuns: runs(1_000, 10_000),
        ...(ENGINES_SEED === undefined ? {} : { seed: Number(ENGINES_SEED) }),
        ...(ENGINES_PATH === undefined ? {} : { path: ENGINES_PATH, endOnFailure: true }),
      },
    );

    const seconds = ((performance.now() - begun) / 1_000).toFixed(0);
    console.log(`seed ${outcome.seed}: ${JSON.stringify(tally)} in ${seconds} s`);
    if (found !== undefined) {
      const { script, difference } = found;
      const after = `seed ${outcome.seed}, path ${outcome.counterexamplePath}, after ${outcome.numRuns} scripts, ${outcome.numShrinks} times made shorter`;
      expect.fail(`${after}:\n${printDifference(script, difference, ['old', 'new'])}`);
    }
    if (outcome.failed) throw outcome.errorInstance;
    expect(tally.refused / tally.scripts).toBeLessThan(0.05);
    expect(tally.met / tally.scripts).toBeLessThan(0.02);
  },
);
