import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Attempt } from '../../../lib/kernel/attempt.js';
import { Guard, refused, type Admission } from '../../../lib/kernel/guard.js';
import { Pipeline } from '../../../lib/kernel/pipeline.js';
import { ManualWork, newCall } from '../../support/calls.js';
import { Gate } from '../../support/guards.js';
import { runs } from '../../support/runs.js';
import { settle, track } from '../../support/settle.js';
import { TestEnvironment } from '../../support/test-environment.js';

/** What a guard does with an attempt, and where it fails. */
interface Habit {
  readonly admits: 'at once' | 'after a wait' | 'never' | 'throws';
  readonly throwsOn: 'settled' | 'released' | 'nothing';
}

/** Where the attempt is; `cut`: it has ended for its caller, and its work goes on. */
type State = 'waits' | 'granted' | 'runs' | 'cut' | 'over';

type Step = 'grant' | 'let all go on' | 'cut' | 'end' | 'fail';

const habit: fc.Arbitrary<Habit> = fc.record({
  admits: fc.oneof(
    { weight: 6, arbitrary: fc.constant('at once' as const) },
    { weight: 4, arbitrary: fc.constant('after a wait' as const) },
    { weight: 1, arbitrary: fc.constantFrom('never' as const, 'throws' as const) },
  ),
  throwsOn: fc.oneof(
    { weight: 8, arbitrary: fc.constant('nothing' as const) },
    { weight: 1, arbitrary: fc.constantFrom('settled' as const, 'released' as const) },
  ),
});
const step = fc.constantFrom<Step>('grant', 'let all go on', 'cut', 'end', 'fail');

/** What a guard was told, in the order of all guards. */
interface Telling {
  readonly guard: number;
  readonly of: 'settled' | 'released';
}

class Habitual extends Guard {
  readonly gate = new Gate();
  /** How often it was asked. */
  asked = 0;

  constructor(
    private readonly index: number,
    readonly habit: Habit,
    private readonly told: Telling[],
  ) {
    super();
  }

  admit(attempt: Attempt): Admission {
    this.asked++;
    switch (this.habit.admits) {
      case 'at once':
        return undefined;
      case 'after a wait':
        return this.gate.admit(attempt);
      case 'never':
        return refused('refused');
      case 'throws':
        throw new Error('threw');
    }
  }

  override settled(): void {
    this.#tell('settled');
  }

  override released(): void {
    this.#tell('released');
  }

  #tell(of: Telling['of']): void {
    this.told.push({ guard: this.index, of });
    if (this.habit.throwsOn === of) throw new Error(of);
  }
}

async function walk(habits: readonly Habit[], bounded: boolean, steps: readonly Step[]): Promise<void> {
  const environment = new TestEnvironment();
  const told: Telling[] = [];
  const guards = habits.map((one, index) => new Habitual(index, one, told));
  const work = new ManualWork();
  const attempt = newCall(environment, { outer: newCall(environment) });
  const pipeline = new Pipeline({ target: attempt.course.target, guards, work: work.run, endsEarly: bounded });
  attempt.course = pipeline;
  const result = track(pipeline.start(attempt));
  const waiter = (): Habitual | undefined => guards.find(({ gate }) => gate.waiting > 0);

  // The model: at which guard it stands, and what has become of it.
  let stands = 0;
  let state: State = 'waits';
  const is = (...states: readonly State[]): boolean => states.includes(state);
  let letIn = 0;
  let passedOn = 0;
  const pass = (): void => {
    for (; stands < habits.length; stands++) {
      const { admits } = habits[stands] as Habit;
      // One that throws may have taken something before.
      if (admits === 'at once' || admits === 'throws') letIn++;
      if (admits === 'after a wait') return void (state = 'waits');
      if (admits !== 'at once') return void (state = 'over');
    }
    state = 'runs';
  };
  const goOn = async (): Promise<void> => {
    await settle();
    if (!is('granted')) return;
    letIn++;
    stands++;
    pass();
    await settle();
  };
  pass();
  await settle();

  for (const one of steps) {
    if (one === 'grant') {
      waiter()?.gate.open();
      if (is('waits')) state = 'granted';
    } else if (one === 'let all go on') await goOn();
    else if (one === 'cut') {
      if (is('granted')) passedOn++;
      attempt.abort('gone');
      if (is('waits', 'granted')) state = 'over';
      else if (is('runs') && bounded) state = 'cut';
      await settle();
    } else {
      await goOn();
      if (one === 'end') work.succeed(0, 'value');
      else work.fail(0, 'failure');
      if (is('runs', 'cut')) state = 'over';
      await settle();
    }
    expect(result.status !== 'pending').toBe(is('over', 'cut'));
    const tellings = (of: Telling['of']) => told.filter((telling) => telling.of === of).map(({ guard }) => guard);
    const innermostFirst = guards.map((_, index) => index).slice(0, letIn);
    innermostFirst.reverse();
    expect(tellings('settled')).toEqual(is('over', 'cut') ? innermostFirst : []);
    expect(tellings('released')).toEqual(is('over') ? innermostFirst : []);
    // All have settled before any is released.
    expect(told.slice(0, letIn).every(({ of }) => of === 'settled')).toBe(true);
    expect(guards.reduce((sum, { gate }) => sum + gate.passedOn, 0)).toBe(passedOn);
    expect(guards.every(({ asked }, index) => asked === (index <= stands && index < habits.length ? 1 : 0))).toBe(true);
  }
}

describe('Pipeline, against a model', () => {
  it('tells exactly the guards that have let an attempt in, once each, of its end and of that of its work', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(habit, { maxLength: 5 }), fc.boolean(), fc.array(step, { maxLength: 12 }), walk),
      { numRuns: runs(400, 4_000) },
    );
  });
});
