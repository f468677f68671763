import { AsyncLocalStorage, createHook } from 'node:async_hooks';
import { describe, expect, it } from 'vitest';
import { TimeoutException } from '../../../lib/errors/timeout.exception.js';
import type { Attempt } from '../../../lib/kernel/attempt.js';
import { callOf, type Call } from '../../../lib/kernel/call.js';
import { Again, PASS, type Decision } from '../../../lib/kernel/decision.js';
import { Guard, refused, type Admission } from '../../../lib/kernel/guard.js';
import type { Failure } from '../../../lib/kernel/outcome/failure.js';
import { Pipeline } from '../../../lib/kernel/pipeline.js';
import type { PipelineInit } from '../../../lib/kernel/pipeline-init.js';
import type { Work } from '../../../lib/kernel/junction.js';
import { rejection } from '../../../lib/kernel/rejection.js';
import { attemptTimeout } from '../../../lib/policies/timeout/attempt-timeout.guard.js';
import { ManualWork, method, newCall } from '../../support/calls.js';
import { Gate } from '../../support/guards.js';
import { errorOf, settle, track } from '../../support/settle.js';
import { TestEnvironment } from '../../support/test-environment.js';

const boom = new Error('boom');
const fault = new Error('fault');

/** Notes what it hears, and does what it is told to. */
class Noting extends Guard {
  constructor(
    private readonly name: string,
    private readonly steps: unknown[],
    private readonly acts: Partial<Record<'admit' | 'settled' | 'released', () => Admission>> = {},
  ) {
    super();
  }

  admit(): Admission {
    this.steps.push(`admit ${this.name}`);
    return this.acts.admit?.();
  }

  override settled(_: Attempt, value: unknown, failure: Failure | undefined): void {
    this.steps.push(`settled ${this.name} ${said(value ?? failure?.error)}`);
    this.acts.settled?.();
  }

  override released(_: Attempt, failure: Failure | undefined): void {
    this.steps.push(`released ${this.name} ${said(failure?.error)}`);
    this.acts.released?.();
  }
}

function said(end: unknown): string {
  return end instanceof Error ? end.message : String(end);
}

/** A decision that notes what it is asked, and answers with `verdict`. */
function deciding(name: string, steps: unknown[], verdict: (call: Call) => unknown = () => PASS): Decision {
  return {
    answers: false,
    failed: (call, { error }) => {
      steps.push(`${name} ${said(error)}`);
      return verdict(call);
    },
  };
}

const again = (delayMs: number, onCut: (reason: unknown) => void = () => undefined): Again =>
  new Again(delayMs, onCut, () => new Error('shut down'));

interface Options extends Omit<PipelineInit, 'target' | 'work' | 'guards'> {
  readonly guards?: (steps: unknown[], environment: TestEnvironment) => readonly Guard[];
  readonly work?: Work;
  /** Whether a guarded call is around it, which can cut it. */
  readonly cuttable?: boolean;
}

/** A pipeline and the first attempt in it. */
function setUp({ guards, work, cuttable = false, ...init }: Options = {}) {
  const environment = new TestEnvironment();
  const manual = new ManualWork();
  const steps: unknown[] = [];
  const noted: Work = (attempt) => (steps.push(`work ${attempt.attempt}`), (work ?? manual.run)(attempt));
  const attempt = newCall(environment, cuttable ? { outer: newCall(environment) } : {});
  const { target } = attempt.course;
  const pipeline = new Pipeline({ target, work: noted, guards: guards?.(steps, environment) ?? [], ...init });
  attempt.course = pipeline;
  const start = () => track(pipeline.start(attempt));
  return { environment, clock: environment.clock, work: manual, steps, attempt, pipeline, start };
}

const threeGuards = (steps: unknown[]) => ['a', 'b', 'c'].map((name) => new Noting(name, steps));

describe('Pipeline', () => {
  it('gives the value or the error of its work', async () => {
    for (const end of ['value', boom]) {
      const { work, start } = setUp();
      const result = start();

      if (end === boom) work.fail(0, boom);
      else work.succeed(0, end);
      await settle();

      expect(result).toEqual({ status: end === boom ? 'rejected' : 'fulfilled', outcome: end });
    }
  });

  it('makes a rejection of what its work throws at once', async () => {
    const { start } = setUp({
      work: () => {
        throw boom;
      },
    });
    const result = start();
    await settle();

    expect(result).toEqual({ status: 'rejected', outcome: boom });
  });

  it('notes when the method begins, and whether it goes on', async () => {
    const { clock, attempt, work, start } = setUp();
    start();
    expect([attempt.startedAt, attempt.running]).toEqual([clock.now(), true]);

    work.succeed(0);
    await settle();

    expect([attempt.running, attempt.settled]).toEqual([false, true]);
  });

  it('does not begin what was cut before', async () => {
    const { attempt, steps, start } = setUp();
    attempt.abort('gone');

    const result = start();
    await settle();

    expect(result).toEqual({ status: 'rejected', outcome: 'gone' });
    expect([steps, attempt.startedAt]).toEqual([[], undefined]);
  });

  describe('guards', () => {
    it.each([
      ['value', 'undefined'],
      [boom, 'boom'],
    ])('are asked from the outermost to the innermost, and told the other way: %s', async (end, releasedWith) => {
      const { steps, work, start } = setUp({ guards: threeGuards });
      start();
      if (end === boom) work.fail(0, end);
      else work.succeed(0, end);
      await settle();

      const ended = said(end);
      expect(steps).toEqual([
        ...['admit a', 'admit b', 'admit c', 'work 1'],
        // All have settled before any gives on what it held.
        ...[`settled c ${ended}`, `settled b ${ended}`, `settled a ${ended}`],
        ...[`released c ${releasedWith}`, `released b ${releasedWith}`, `released a ${releasedWith}`],
      ]);
    });

    it('have been told before the caller is', async () => {
      const { steps, work, attempt, pipeline } = setUp({ guards: threeGuards });
      const end = pipeline.start(attempt).then(() => steps.push('caller'));
      work.succeed(0);
      await end;

      expect(steps.at(-1)).toBe('caller');
      expect(steps).toHaveLength(11);
    });

    it('are told only where they have let the attempt in, when one in the middle refuses', async () => {
      const { steps, start } = setUp({
        guards: (notes) => [
          new Noting('a', notes),
          new Noting('b', notes, { admit: () => refused(boom) }),
          new Noting('c', notes),
        ],
      });

      const result = start();
      await settle();

      expect(result).toEqual({ status: 'rejected', outcome: boom });
      expect(steps).toEqual(['admit a', 'admit b', 'settled a boom', 'released a boom']);
    });

    it('hear of the items of a stream, of the wish for one, and of a consumer that rests, the outermost first', () => {
      const heard: string[] = [];
      const listening = (name: string): Guard =>
        new (class extends Guard {
          admit(): undefined {
            // All may pass.
          }
          override item = () => void heard.push(`item ${name}`);
          override wanted = () => void heard.push(`wanted ${name}`);
          override parked = () => void heard.push(`parked ${name}`);
        })();
      const { attempt, pipeline, start } = setUp({ guards: () => [listening('a'), listening('b')] });
      start();

      pipeline.item(attempt);
      pipeline.wanted(attempt);
      pipeline.parked(attempt);

      expect(heard).toEqual(['item a', 'item b', 'wanted a', 'wanted b', 'parked a', 'parked b']);
    });
  });

  describe('an attempt that waits', () => {
    /** A gate between two guards that note. */
    function gated(options: Options = {}) {
      const gate = new Gate();
      const guards = (steps: unknown[]) => [new Noting('a', steps), gate, new Noting('c', steps)];
      return { gate, ...setUp({ guards, ...options }) };
    }

    it('goes on at the next guard', async () => {
      const { gate, steps, attempt, work, start } = gated();
      const result = start();
      await settle();
      expect([steps, gate.waiting, attempt.admitted]).toEqual([['admit a'], 1, 1]);

      gate.open();
      await settle();
      expect(steps).toEqual(['admit a', 'admit c', 'work 1']);
      work.succeed(0, 'value');
      await settle();

      expect(result.outcome).toBe('value');
      expect(steps.slice(3)).toEqual([
        'settled c value',
        'settled a value',
        'released c undefined',
        'released a undefined',
      ]);
    });

    it('may wait again, and be refused after it', async () => {
      const gates = [new Gate(), new Gate()];
      const { steps, start } = setUp({
        guards: (notes) => [new Noting('a', notes), ...gates, new Noting('d', notes, { admit: () => refused(boom) })],
      });
      const result = start();
      for (const gate of gates) {
        await settle();
        gate.open();
      }
      await settle();

      expect(result.outcome).toBe(boom);
      expect(steps).toEqual(['admit a', 'admit d', 'settled a boom', 'released a boom']);
    });

    it('begins when its turn has come: the clock is read again', async () => {
      const { gate, clock, attempt, start } = gated();
      start();
      await clock.advance(50);
      gate.open();
      await settle();

      expect([attempt.startedAt, attempt.since]).toEqual([clock.now(), clock.now() - 50]);
    });

    it.each([false, true])(
      'ends with the reason, when it is cut while it waits (ends early: %s)',
      async (endsEarly) => {
        const { gate, steps, attempt, start } = gated({ endsEarly, cuttable: true });
        const result = start();
        await settle();

        attempt.abort('gone');
        await settle();
        gate.open();
        await settle();

        expect(result).toEqual({ status: 'rejected', outcome: 'gone' });
        expect(steps).toEqual(['admit a', 'settled a gone', 'released a gone']);
        expect([gate.waiting, gate.passedOn]).toEqual([0, 0]);
      },
    );

    it.each([false, true])(
      'passes on what it was granted, when it is cut before it goes on (ends early: %s)',
      async (endsEarly) => {
        const { gate, steps, attempt, start } = gated({ endsEarly, cuttable: true });
        const result = start();
        await settle();

        gate.open();
        attempt.abort('gone');
        await settle();

        expect(result).toEqual({ status: 'rejected', outcome: 'gone' });
        expect(steps).toEqual(['admit a', 'settled a gone', 'released a gone']);
        expect(gate.passedOn).toBe(1);
      },
    );
  });

  describe('an attempt that is cut while its work goes on', () => {
    it('ends for its caller, and is released when the work has ended, whatever that gives', async () => {
      for (const [end, releasedWith] of [
        ['late', 'undefined'],
        [new Error('too late'), 'too late'],
      ] as const) {
        const { steps, attempt, work, start } = setUp({ guards: threeGuards, endsEarly: true, cuttable: true });
        const result = start();

        attempt.abort(boom);
        await settle();
        expect(result).toEqual({ status: 'rejected', outcome: boom });
        expect(steps.slice(4)).toEqual(['settled c boom', 'settled b boom', 'settled a boom']);
        if (end instanceof Error) work.fail(0, end);
        else work.succeed(0, end);
        await settle();

        expect(steps.slice(7)).toEqual(['c', 'b', 'a'].map((name) => `released ${name} ${releasedWith}`));
        expect(result.outcome).toBe(boom);
      }
    });

    it('ends at its limit, which is one of its guards', async () => {
      const { clock, steps, work, start } = setUp({
        guards: (notes, environment) => [new Noting('a', notes), attemptTimeout('t', 100, environment)],
        endsEarly: true,
      });
      const result = start();
      await clock.advance(100);

      expect(result.outcome).toBeInstanceOf(TimeoutException);
      expect(steps.slice(2)).toEqual([expect.stringMatching(/^settled a /)]);
      work.succeed(0);
      await settle();
      expect(steps.at(-1)).toBe('released a undefined');
      expect(clock.keepingAlive).toBe(0);
    });

    it('waits for its work, where nothing ends it early', async () => {
      const { attempt, steps, work, start } = setUp({ guards: threeGuards, cuttable: true });
      const result = start();

      attempt.abort('gone');
      await settle();
      expect([result.status, steps.length]).toEqual(['pending', 4]);
      work.fail(0, boom);
      await settle();

      expect(result.outcome).toBe(boom);
    });

    it('is released at once and once, when its work has ended with the consumer that has left', async () => {
      const { attempt, steps, work, pipeline, start } = setUp({
        guards: (notes) => [new Noting('a', notes)],
        endsEarly: true,
        cuttable: true,
      });
      start();
      attempt.abort('left');

      pipeline.abandoned(attempt);
      pipeline.abandoned(attempt);
      expect(steps.slice(2)).toEqual(['settled a left', 'released a left']);
      work.succeed(0);
      await settle();

      expect(steps).toHaveLength(4);
    });
  });

  describe('a guard that throws', () => {
    const throwing = (on: 'admit' | 'settled' | 'released') => (steps: unknown[]) => [
      new Noting('a', steps),
      new Noting('b', steps, {
        [on]: () => {
          throw fault;
        },
      }),
      new Noting('c', steps),
    ];

    it('when it is asked turns the attempt away, and hears of it, as those outside it do', async () => {
      const { steps, start } = setUp({ guards: throwing('admit') });
      const result = start();
      await settle();

      expect(result).toEqual({ status: 'rejected', outcome: fault });
      // It may have taken something before it threw.
      expect(steps).toEqual([
        ...['admit a', 'admit b'],
        ...['settled b fault', 'settled a fault', 'released b fault', 'released a fault'],
      ]);
    });

    it('when it is asked after a wait turns the attempt away as well', async () => {
      const gate = new Gate();
      const { steps, start } = setUp({ guards: (notes) => [...threeGuards(notes), gate, ...throwing('admit')(notes)] });
      const result = start();
      await settle();
      gate.open();
      await settle();

      expect(result).toEqual({ status: 'rejected', outcome: fault });
      expect(steps.filter((step) => String(step).startsWith('released'))).toHaveLength(5);
    });

    it.each([
      ['settled', 'value'],
      ['settled', boom],
      ['released', 'value'],
      ['released', boom],
    ] as const)('when it is %s with %s gives the caller its error, and the others hear', async (on, end) => {
      for (const endsEarly of [false, true]) {
        const { steps, work, start } = setUp({ guards: throwing(on), endsEarly, cuttable: endsEarly });
        const result = start();
        if (end === boom) work.fail(0, end);
        else work.succeed(0, end);
        await settle();

        expect(result).toEqual({ status: 'rejected', outcome: fault });
        const told = steps.slice(4).map((step) => String(step).split(' ').slice(0, 2).join(' '));
        expect(told).toEqual(['settled c', 'settled b', 'settled a', 'released c', 'released b', 'released a']);
      }
    });

    it.each(['settled', 'released'] as const)('when a cut one is %s leaves nobody without an end', async (on) => {
      const { steps, attempt, work, start } = setUp({ guards: throwing(on), endsEarly: true, cuttable: true });
      const result = start();
      attempt.abort('gone');
      await settle();
      work.succeed(0);
      await settle();

      expect(result).toEqual({ status: 'rejected', outcome: on === 'settled' ? fault : 'gone' });
      expect(steps).toHaveLength(10);
    });
  });

  describe('decisions', () => {
    it('are asked from the innermost to the outermost, once the guards have been told, as long as they pass', async () => {
      const notes: unknown[] = [];
      const { start } = setUp({
        guards: () => [new Noting('a', notes)],
        decisions: [deciding('in', notes), deciding('out', notes)],
        work: () => Promise.reject(boom),
      });
      const result = start();
      await settle();

      expect(result).toEqual({ status: 'rejected', outcome: boom });
      expect(notes).toEqual(['admit a', 'settled a boom', 'released a boom', 'in boom', 'out boom']);
    });

    it.each([
      ['a value', () => 'instead', []],
      ['a promise', () => Promise.resolve('instead'), []],
      ['undefined', () => undefined, []],
      ['a rejection', () => rejection(fault), ['out fault']],
      ['a promise that rejects', () => Promise.reject(fault), ['out fault']],
      [
        'a throw',
        () => {
          throw fault;
        },
        ['out fault'],
      ],
    ])('answer with %s: those outside are asked of a failure alone', async (_, verdict, asked) => {
      const notes: unknown[] = [];
      const { start } = setUp({
        decisions: [deciding('in', [], verdict), deciding('out', notes)],
        work: () => Promise.reject(boom),
      });
      const result = start();
      await settle();

      expect(notes).toEqual(asked);
      expect(result.status).toBe(asked.length === 0 ? 'fulfilled' : 'rejected');
      expect(result.outcome).toBe(asked.length > 0 ? fault : await verdict());
    });

    it('are not asked of a value, but for the one that judges results', async () => {
      const notes: unknown[] = [];
      const judge: Decision = {
        ...deciding('in', notes),
        judgesResults: true,
        succeeded: ({ made }, value) => (made < 3 ? again(0) : value),
      };
      const { steps, start } = setUp({
        decisions: [judge, deciding('out', notes)],
        work: ({ attempt }) => Promise.resolve(attempt),
      });
      const result = start();
      await settle();

      expect(result.outcome).toBe(3);
      expect([notes, steps]).toEqual([[], ['work 1', 'work 2', 'work 3']]);
    });

    it('of results may refuse one: those outside are asked of the error', async () => {
      const notes: unknown[] = [];
      const judge: Decision = { ...deciding('in', notes), judgesResults: true, succeeded: () => rejection(fault) };
      const { start } = setUp({ decisions: [judge, deciding('out', notes)], work: () => Promise.resolve('poor') });
      const result = start();
      await settle();

      expect(result.outcome).toBe(fault);
      expect(notes).toEqual(['out fault']);
    });

    it('make another attempt after a pause, which passes every guard', async () => {
      const notes: unknown[] = [];
      const { clock, steps, attempt, start } = setUp({
        guards: (all) => [new Noting('a', all)],
        decisions: [deciding('retry', notes, ({ made }) => (made === 1 ? again(100) : PASS))],
        work: () => Promise.reject(boom),
      });
      const result = start();
      await clock.advance(99);
      expect(steps).toHaveLength(4);
      await clock.advance(1);

      expect(steps).toEqual([
        ...['admit a', 'work 1', 'settled a boom', 'released a boom'],
        ...['admit a', 'work 2', 'settled a boom', 'released a boom'],
      ]);
      expect(result.outcome).toBe(boom);
      expect(callOf(attempt)).toMatchObject({ made: 2, attempt: 2 });
    });

    it('outside are asked of a pause that was cut, and the one that asked for it is told', async () => {
      const notes: unknown[] = [];
      const cut: unknown[] = [];
      const { clock, attempt, steps, start } = setUp({
        decisions: [deciding('retry', [], () => again(100, (reason) => cut.push(reason))), deciding('out', notes)],
        work: () => Promise.reject(boom),
      });
      const result = start();
      await clock.advance(50);
      callOf(attempt).abort('gone');
      await clock.advance(1_000);

      expect([cut, notes, steps]).toEqual([['gone'], ['out gone'], ['work 1']]);
      expect(result).toEqual({ status: 'rejected', outcome: 'gone' });
    });

    it('are told of a call before its first attempt, and of no other', async () => {
      const begun: unknown[] = [];
      const { steps, attempt, start } = setUp({
        decisions: [
          {
            ...deciding('in', [], ({ made }) => (made === 1 ? again(0) : PASS)),
            begin: (call) => void begun.push(call, steps.length),
          },
        ],
        work: () => Promise.reject(boom),
      });
      start();
      await settle();

      expect(begun).toEqual([callOf(attempt), 0]);
    });

    it('answer at once, or throw, for a method that gives its answer at once', () => {
      const { pipeline, attempt } = setUp({ decisions: [deciding('in', [], () => 'instead')] });
      const passing = setUp({ decisions: [deciding('in', [])] });

      expect(pipeline.answer(attempt, boom)).toBe('instead');
      expect(() => passing.pipeline.answer(passing.attempt, boom)).toThrow(boom);
    });
  });

  describe('the async context of the caller', () => {
    const storage = new AsyncLocalStorage<string>();

    it('is that of a decision after a timeout', async () => {
      const seen: unknown[] = [];
      const { clock, start } = setUp({
        guards: (_, environment) => [attemptTimeout('t', 100, environment)],
        decisions: [deciding('in', [], () => (seen.push(storage.getStore()), 'instead'))],
        endsEarly: true,
      });
      const result = storage.run('caller', start);
      await storage.run('elsewhere', () => clock.advance(100));

      expect([result.outcome, seen]).toEqual(['instead', ['caller']]);
    });

    it('is that of a decision after a cut', async () => {
      const seen: unknown[] = [];
      const { attempt, start } = setUp({
        decisions: [deciding('in', [], () => (seen.push(storage.getStore()), PASS))],
        endsEarly: true,
        cuttable: true,
      });
      storage.run('caller', start);
      storage.run('elsewhere', () => attempt.abort('gone'));
      await settle();

      expect(seen).toEqual(['caller']);
    });

    it('is that of guards and method after a wait', async () => {
      const gate = new Gate();
      const seen: unknown[] = [];
      const see = (): undefined => void seen.push(storage.getStore());
      const { start } = setUp({
        guards: (notes) => [gate, new Noting('b', notes, { admit: see })],
        work: method(see),
      });
      storage.run('caller', start);
      await settle();
      storage.run('elsewhere', () => gate.open());
      await settle();

      expect(seen).toEqual(['caller', 'caller']);
    });

    it('is that of an attempt after a pause', async () => {
      const seen: unknown[] = [];
      const { clock, start } = setUp({
        decisions: [deciding('in', [], ({ made }) => (made === 1 ? again(100) : PASS))],
        work: () => (seen.push(storage.getStore()), Promise.reject(boom)),
      });
      storage.run('caller', start);
      await storage.run('elsewhere', () => clock.advance(100));

      expect(seen).toEqual(['caller', 'caller']);
    });
  });

  it('makes one promise for an attempt that nothing bounds: that of `then`', async () => {
    const given = Promise.resolve('value');
    const { attempt, pipeline } = setUp({ guards: threeGuards, work: () => given, endsEarly: true });
    let made = 0;
    const hook = createHook({ init: (_, type) => void (made += type === 'PROMISE' ? 1 : 0) });

    hook.enable();
    const result = pipeline.start(attempt);
    hook.disable();

    expect(made).toBe(1);
    expect(attempt.bounded).toBe(false);
    await expect(result).resolves.toBe('value');
  });

  it('leaves an error that nobody handles to the process, as one that is handled is not', async () => {
    const unhandled: unknown[] = [];
    const others = process.listeners('unhandledRejection');
    process.removeAllListeners('unhandledRejection');
    process.on('unhandledRejection', (reason) => unhandled.push(reason));
    try {
      for (const cuttable of [false, true]) {
        const options = { work: () => Promise.reject(boom), endsEarly: true, cuttable };
        const [floating, handled] = [setUp(options), setUp(options)];
        void floating.pipeline.start(floating.attempt);
        await errorOf(handled.pipeline.start(handled.attempt));
        await settle();
      }
      expect(unhandled).toEqual([boom, boom]);
    } finally {
      process.removeAllListeners('unhandledRejection');
      for (const listener of others) process.on('unhandledRejection', listener);
    }
  });
});
