import { settle } from '../settle.js';
import { textOf } from './describe.js';
import type { Engine } from './engine.js';
import { FakeGlobals } from './fake-globals.js';
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
  /** Whether it was given up where a slot came free and others asked for it in one turn, so that only the end was compared. */
  readonly met: boolean;
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
  /**
   * A slot that comes free goes to whoever waits within the same turn. The old engine took several turns for that, and a
   * retry of the call that had ended, or a probe, could come in between. Where both meet, who is first decides the rest.
   */
  #metInOneTurn = false;
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
      if (step.does === 'shut down') this.#leaveOutAtShutdown();
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
    this.#leaveOutAtShutdown();
    for (const world of this.#worlds) world.shutDown();
    await clock.advance(1);
    const atShutdown = this.#compare(step + 1, 'the app shuts down');
    if (atShutdown !== undefined) return atShutdown;
    for (let count = 0; count < MAX_RUNS_LEFT && this.#worlds.some(({ work }) => work.running.length > 0); count++) {
      await this.#step({ does: 'settle', run: 0, end: 'answer' });
      const difference = this.#compare(step + 2, 'what still runs ends');
      if (difference !== undefined) return difference;
    }
    await clock.advance(UNTIL_ALL_IS_OVER_MS);
    const difference = this.#compare(step + 3, 'all is over');
    if (difference !== undefined) return difference;
    const left = this.#worlds.map(({ closed }) => [closed ? `${clock.pending} timers` : 'not closed']);
    if (clock.pending === 0 && this.#worlds.every(({ closed }) => closed)) return undefined;
    return { step: step + 3, what: 'what is left', seen: left as [string[], string[]] };
  }

  /** Whether a shutdown cuts the first call of a method that has not said its kind was an accident of the old engine. */
  #leaveOutAtShutdown(): void {
    const { kind, stack } = this.script;
    // What stands in for a stream may end within the turns of a shutdown, or be cut by it.
    const standsIn = kind === 'iterable' && (stack.recover !== undefined || stack.fallback !== undefined);
    if ((kind === 'learned' || standsIn) && this.#worlds[0].waits) this.#leftOut = true;
  }

  #compare(step: number, what: string): Difference | undefined {
    if (this.#leftOut) return undefined;
    const queued = this.#queued;
    this.#queued = this.#worlds.some(({ queues }) => queues);
    const seen = [this.#worlds[0].look(), this.#worlds[1].look()] as const;
    if (seen[0].join('\n') === seen[1].join('\n')) return undefined;
    const { retry, bulkhead } = this.script.stack;
    const atOnce = textOf(retry?.backoff) === '{ fixed: 0 }';
    const others = retry !== undefined || this.script.manners.includes('nests');
    if (bulkhead !== undefined && (atOnce || (queued && others))) this.#leftOut = this.#metInOneTurn = true;
    return this.#leftOut ? undefined : { step, what, seen };
  }

  #result(difference: Difference | undefined, refused: boolean): Result {
    return { difference, refused, met: this.#metInOneTurn, runs: this.#worlds[0].work.all.length };
  }
}
