import { settle } from '../settle.js';
import { textOf } from './describe.js';
import type { Engine } from './engine.js';
import { FakeGlobals } from './fake-globals.js';
import { INTENDED, type Intended, type Seen } from './intended-differences.js';
import type { Script, Step } from './script.js';
import { World } from './world.js';

/** Longer than any work may keep its slot after its caller has gone. */
const UNTIL_ALL_IS_OVER_MS = 130_000;
const MAX_RUNS_LEFT = 200;

/** Where two engines differ, and what each shows there. */
export interface Difference {
  /** The number of the step, from 1; 0: the start. */
  readonly step: number;
  readonly what: string;
  readonly seen: readonly [string[], string[]];
}

/** What became of a script. */
export interface Result {
  readonly difference: Difference | undefined;
  /** Whether the app refused to start, so that nothing was compared but the error. */
  readonly refused: boolean;
  /** What they did otherwise on purpose; see intended-differences.ts. */
  readonly intended: readonly string[];
  /** How many runs of the work there were. */
  readonly runs: number;
}

/** Runs one script under both engines, step by step at the same instants, and compares all that can be seen after each. */
export async function runSideBySide(
  script: Script,
  engines: readonly [Engine, Engine],
  callContext: boolean,
): Promise<Result> {
  const fakes = new FakeGlobals();
  try {
    return await new SideBySide(script, engines, callContext, fakes).run();
  } finally {
    fakes.giveBack();
  }
}

class SideBySide {
  readonly #worlds: readonly [World, World];
  /** Whether an attempt waited for a slot before this step. */
  #queued = false;
  #before: Seen = [[], []];
  readonly #intended = new Set<Intended>();
  /** Whether the rest is not compared, but for what is left in the end. */
  #leftOut = false;

  constructor(
    readonly script: Script,
    engines: readonly [Engine, Engine],
    callContext: boolean,
    readonly fakes: FakeGlobals,
  ) {
    const [first, second] = engines;
    this.#worlds = [new World(first, script, callContext), new World(second, script, callContext)];
  }

  async run(): Promise<Result> {
    const refusals = [await this.#start(this.#worlds[0]), await this.#start(this.#worlds[1])];
    if (refusals.some((refusal) => refusal !== undefined)) {
      const [first, second] = refusals.map((refusal) => [refusal ?? 'started']) as [string[], string[]];
      return this.#result(
        first[0] === second[0] ? undefined : { step: 0, what: 'the start', seen: [first, second] },
        true,
      );
    }
    let difference = this.#compare(0, 'the start');
    for (const [index, step] of this.script.steps.entries()) {
      if (difference !== undefined) break;
      await this.#step(step);
      difference = this.#compare(index + 1, textOf(step));
    }
    difference ??= await this.#end();
    return this.#result(difference, false);
  }

  async #start(world: World): Promise<string | undefined> {
    const beginAnew = this.fakes.chance();
    try {
      await world.start();
      beginAnew();
      return undefined;
    } catch (error) {
      return textOf(error);
    }
  }

  async #step(step: Step): Promise<void> {
    const { clock } = this.fakes;
    if (step.does === 'pass') return clock.advance(step.ms);
    if (step.does === 'block') {
      // Which of two limits that are overdue in one turn ends a call first is an accident of the engine.
      clock.block(Math.min(step.ms, clock.secondTimerIn - 1));
      clock.fireDueTimers();
      await settle();
    }
    for (const world of this.#worlds) {
      world.act(step);
      await settle();
    }
    await clock.poll();
    await clock.advance(0);
  }

  /** The app shuts down, then all work that still goes on ends. */
  async #end(): Promise<Difference | undefined> {
    const { clock } = this.fakes;
    const step = this.script.steps.length;
    for (const world of this.#worlds) world.shutDown();
    await clock.advance(1);
    const atShutdown = this.#compare(step + 1, 'the app shuts down', 'shut down');
    if (atShutdown !== undefined) return atShutdown;
    for (let count = 0; count < MAX_RUNS_LEFT && this.#worlds.some(({ work }) => work.running.length > 0); count++) {
      await this.#step({ does: 'settle', run: 0, end: 'answer' });
      const difference = this.#compare(step + 2, 'what still runs ends', 'settle');
      if (difference !== undefined) return difference;
    }
    await clock.advance(UNTIL_ALL_IS_OVER_MS);
    const difference = this.#compare(step + 3, 'all is over', 'pass');
    if (difference !== undefined) return difference;
    const timers = clock.pending === 0 ? [] : [`${clock.pending} timers`];
    const left = this.#worlds.map((world) => [...timers, ...world.left]);
    if (left.every((lines) => lines.length === 0)) return undefined;
    return { step: step + 3, what: 'what is left', seen: left as [string[], string[]] };
  }

  #compare(step: number, what: string, does?: Step['does']): Difference | undefined {
    const seen = [this.#worlds[0].look(), this.#worlds[1].look()] as const;
    const [before, queued] = [this.#before, this.#queued];
    this.#before = seen;
    this.#queued = this.#worlds.some(({ queues }) => queues);
    if (this.#leftOut || same(seen)) return undefined;
    const { script } = this;
    const moment = { script, does: does ?? script.steps[step - 1]?.does ?? 'settle', before, now: seen, queued };
    const one = INTENDED.find((intended) => {
      if (!intended.holds({ ...moment, again: this.#intended.has(intended) })) return false;
      const { rest } = intended;
      return rest === undefined || same([rest(seen[0]), rest(seen[1])]);
    });
    if (one === undefined) return { step, what, seen };
    this.#intended.add(one);
    this.#leftOut = one.rest === undefined;
    return undefined;
  }

  #result(difference: Difference | undefined, refused: boolean): Result {
    return {
      difference,
      refused,
      intended: [...this.#intended].map(({ name }) => name),
      runs: this.#worlds[0].work.all.length,
    };
  }
}

function same([old, now]: Seen): boolean {
  return old.join('\n') === now.join('\n');
}
