import { describe, expect, it, vi } from 'vitest';
import { ShutdownException } from '../../../lib/errors/shutdown.exception.js';
import { TimeoutException } from '../../../lib/errors/timeout.exception.js';
import type { AttemptOutcome, CallObserver } from '../../../lib/events/call-listener.js';
import { EventBus } from '../../../lib/events/event-bus.js';
import { failedAtOnce, gaveAtOnce } from '../../../lib/kernel/at-once.js';
import type { Attempt } from '../../../lib/kernel/attempt.js';
import { endOf, type AttemptEnd } from '../../../lib/kernel/attempt-end.js';
import { FasterAttemptError, UnsubscribedError } from '../../../lib/kernel/call-info.js';
import { callOf } from '../../../lib/kernel/call.js';
import { cutOf } from '../../../lib/kernel/cut.js';
import { observationOf } from '../../../lib/kernel/observation-of.js';
import type { Observation } from '../../../lib/kernel/observation.js';
import type { Verdict } from '../../../lib/kernel/ended-attempt.js';
import { observe, observing, ObservedPipeline } from '../../../lib/kernel/observed-pipeline.js';
import { Failure } from '../../../lib/kernel/outcome/failure.js';
import { Pipeline } from '../../../lib/kernel/pipeline.js';
import { attemptTimeout } from '../../../lib/policies/timeout/attempt-timeout.guard.js';
import { CallRecorder } from '../../support/call-recorder.js';
import { ManualWork, method, newCall } from '../../support/calls.js';
import { Gate } from '../../support/guards.js';
import { settle, thrownBy, track } from '../../support/settle.js';
import { TestEnvironment } from '../../support/test-environment.js';

const boom = new Error('boom');
const timeout = (scope: string) =>
  new TimeoutException({ policy: 'timeout', instanceName: 'x', message: 'late', details: { scope } });
const closing = (running: boolean) =>
  new ShutdownException({ policy: 'retry', instanceName: 'x', message: 'closing', running });
const noSuchThing = Object.assign(new Error('no'), { status: 404 });

/** An attempt whose call somebody observes. */
function setUp() {
  const environment = new TestEnvironment(false);
  const recorder = new CallRecorder();
  const leave = environment.events.watchCalls(recorder);
  const attempt = newCall(environment);
  observe(attempt, environment.events);
  const observation = observationOf(attempt) as Observation;
  return { environment, recorder, leave, attempt, observation, call: callOf(attempt) };
}

/** One that has begun, unless it was cut before. */
function begun(attempt: Attempt): Attempt {
  attempt.begin();
  attempt.goOn();
  return attempt;
}

describe('what has become of an attempt', () => {
  const ENDS: Record<AttemptEnd, (attempt: Attempt) => unknown> = {
    refused: () => closing(false),
    lost: (attempt) => cut(begun(attempt), new FasterAttemptError()),
    notBegun: (attempt) => cut(attempt, timeout('total')),
    shutDown: (attempt) => cut(begun(attempt), closing(true)),
    left: (attempt) => {
      const left = begun(attempt);
      left.course.item(left);
      return cut(attempt, new UnsubscribedError());
    },
    aborted: (attempt) => cut(begun(attempt), boom),
    answered: () => noSuchThing,
    failure: () => boom,
  };

  function cut(attempt: Attempt, reason: unknown): unknown {
    attempt.abort(reason);
    return reason;
  }

  it.each(Object.keys(ENDS) as AttemptEnd[])('%s', (end) => {
    const attempt = newCall(new TestEnvironment());

    const error = ENDS[end](attempt);

    expect(endOf(attempt, new Failure(error))).toBe(end);
  });

  it.each<[Verdict | undefined, AttemptEnd | 'value', AttemptOutcome]>([
    [undefined, 'value', 'success'],
    ['success', 'value', 'success'],
    ['failure', 'value', 'failure'],
    [undefined, 'refused', 'refused'],
    ['ignored', 'refused', 'refused'],
    [undefined, 'lost', 'aborted'],
    [undefined, 'notBegun', 'ignored'],
    [undefined, 'shutDown', 'aborted'],
    [undefined, 'left', 'success'],
    ['success', 'left', 'success'],
    [undefined, 'aborted', 'aborted'],
    ['ignored', 'aborted', 'aborted'],
    [undefined, 'answered', 'client_error'],
    ['success', 'answered', 'client_error'],
    ['ignored', 'answered', 'ignored'],
    [undefined, 'failure', 'failure'],
    ['failure', 'failure', 'failure'],
    ['success', 'failure', 'client_error'],
    ['ignored', 'failure', 'ignored'],
  ])('where its breaker says %s of %s: %s', (verdict, end, outcome) => {
    const { observation, attempt, recorder } = setUp();
    observation.begin('promise');
    const failure = end === 'value' ? undefined : new Failure(ENDS[end](attempt));

    if (verdict !== undefined) observation.judged(attempt, verdict);
    observation.attemptEnded(attempt, failure);

    expect(recorder.calls[0]?.attempts[0]?.outcome).toBe(outcome);
  });

  it('is not what a breaker has said of another', () => {
    const { environment, observation, attempt, recorder } = setUp();
    observation.begin('promise');

    observation.judged(newCall(environment), 'failure');
    observation.attemptEnded(attempt, undefined);

    expect(recorder.calls[0]?.attempts[0]?.outcome).toBe('success');
  });
});

describe('what has cut it', () => {
  it.each([
    [boom, undefined, false, undefined],
    [closing(false), undefined, false, 'shutdown'],
    [boom, closing(true), true, 'shutdown'],
    [boom, timeout('perAttempt'), true, 'caller'],
    [boom, timeout('perAttempt'), false, 'perAttempt'],
    [boom, timeout('total'), false, 'total'],
    [boom, new FasterAttemptError(), false, 'hedge'],
    [boom, new FasterAttemptError(), true, 'caller'],
    [boom, 'gone', false, 'caller'],
  ])('%s, cut by %s, of its caller: %s', (error, reason, byCaller, cut) => {
    expect(cutOf(error, reason === undefined ? undefined : { reason }, byCaller)).toBe(cut);
  });
});

describe('an observed pipeline', () => {
  function piped(observer?: CallObserver) {
    const environment = new TestEnvironment();
    const { clock, events } = environment;
    const recorder = new CallRecorder();
    events.watchCalls(observer === undefined ? recorder : { begun: () => observer });
    const attempt = newCall(environment);
    const work = new ManualWork();
    const gate = new Gate();
    const { target } = attempt.course;
    const guards = [attemptTimeout('load', 100, environment), gate];
    const init = { target, guards, work: work.run, endsEarly: true };
    attempt.course = new ObservedPipeline(observing(init), { events, kind: 'promise' });
    const start = () => track((attempt.course as Pipeline).start(attempt));
    return { environment, clock, recorder, attempt, work, gate, start };
  }

  it('tells when an attempt came, began and ended', async () => {
    const { clock, recorder, work, gate, start } = piped();
    const cameAt = clock.wallNow();
    start();

    await clock.advance(30);
    gate.open();
    await settle();
    await clock.advance(20);
    work.fail(0, boom);
    await settle();

    const [call] = recorder.calls;
    expect(call?.told).toEqual(['begun', 'attempt 1 begun', 'attempt 1 failure', 'ended failure']);
    expect(call?.call.startedAt).toBe(cameAt);
    const times = { startedAt: cameAt + 30, waitedMs: 30, durationMs: 20 };
    expect(call?.attempts).toEqual([{ number: 1, outcome: 'failure', ...times, error: boom, cut: undefined }]);
    expect(call?.end).toEqual({
      outcome: 'failure',
      durationMs: 50,
      attempts: 1,
      retries: 0,
      error: boom,
      cut: undefined,
    });
  });

  it('tells of one that waited in vain', async () => {
    const { clock, recorder, start } = piped();
    start();

    await clock.advance(100);
    await settle();

    const times = { startedAt: undefined, waitedMs: 100, durationMs: undefined };
    expect(recorder.calls[0]?.attempts).toEqual([expect.objectContaining({ ...times, cut: 'perAttempt' })]);
    expect(recorder.calls[0]?.end).toMatchObject({ outcome: 'refused', cut: 'perAttempt' });
    expect(recorder.calls[0]?.decisions.map(({ type }) => type)).toEqual(['timeout']);
  });

  it('does not tell once more of work that ends after its attempt', async () => {
    const { clock, recorder, work, gate, start } = piped();
    start();
    gate.open();
    await settle();
    await clock.advance(100);
    const told = recorder.told.length;

    work.succeed(0);
    await settle();

    expect(recorder.told).toHaveLength(told);
  });

  it('lets an observer call the method in a context of its own', async () => {
    const steps: string[] = [];
    const run: CallObserver['run'] = (work, { number }) => {
      steps.push(`in ${number}`);
      work();
      work();
      steps.push('out');
    };
    const { gate, work, start } = piped({ run });
    start();
    gate.open();
    await settle();

    expect([steps, work.begun]).toEqual([['in 1', 'out'], 1]);
  });

  it.each<[string, CallObserver['run']]>([
    ['forgets to', () => undefined],
    [
      'throws',
      () => {
        throw boom;
      },
    ],
  ])('calls the method itself, where an observer %s', async (_, run) => {
    const { gate, work, start } = piped({ run });
    const result = start();
    gate.open();
    await settle();

    work.succeed(0, 'value');
    await settle();

    expect(result).toEqual({ status: 'fulfilled', outcome: 'value' });
    expect(work.begun).toBe(1);
  });
});

describe('a call that ends at once', () => {
  it('is told, with what stands in for it', () => {
    const { attempt, recorder, observation } = setUp();

    const answer = failedAtOnce(attempt, boom, () => {
      observation.decided({ type: 'fallback', at: 0, name: 'x', policy: 'fallback', error: boom });
      return 'substitute';
    });

    expect(answer).toBe('substitute');
    expect(recorder.told).toEqual([
      'begun',
      'attempt 1 begun',
      'attempt 1 failure',
      'fallback fallback',
      'ended fallback',
    ]);
  });

  it('ends when what stands in for it does, where that comes later', async () => {
    const { attempt, recorder } = setUp();
    const answer = track(failedAtOnce(attempt, boom, () => Promise.reject(noSuchThing)) as Promise<unknown>);
    expect(recorder.calls[0]?.end).toBeUndefined();

    await settle();

    expect(answer).toEqual({ status: 'rejected', outcome: noSuchThing });
    expect(recorder.calls[0]?.end).toMatchObject({ outcome: 'client_error', error: noSuchThing });
  });

  it('ends with what is thrown in its place', () => {
    const { attempt, recorder } = setUp();

    const error = thrownBy(() =>
      failedAtOnce(attempt, boom, () => {
        throw noSuchThing;
      }),
    );

    expect(error).toBe(noSuchThing);
    expect(recorder.calls[0]?.end?.outcome).toBe('client_error');
  });

  it('goes as ever, where nobody hears of it', () => {
    const attempt = newCall(new TestEnvironment());

    expect(gaveAtOnce(attempt, 'value')).toBe('value');
    expect(failedAtOnce(attempt, boom, () => 'substitute')).toBe('substitute');
    expect(attempt.call).toBeUndefined();
  });
});

describe('those who hear of calls', () => {
  it('hear a call to its end, although all have left; and then nothing is told any more', () => {
    const { environment, recorder, leave, observation, call } = setUp();
    const { events } = environment;
    observation.begin('promise');
    leave();
    leave();

    expect([events.calls, events.active]).toEqual([undefined, true]);
    const body = { type: 'fallback', name: 'x', policy: 'fallback', error: boom } as const;
    events.emit(body, observation);
    observation.ended(call);

    expect(events.active).toBe(false);
    expect(recorder.told).toEqual(['begun', 'fallback fallback', 'ended fallback']);
  });

  it('may leave calls alone', () => {
    const { environment, observation, call, recorder } = setUp();
    const begin = vi.fn(() => undefined);
    environment.events.watchCalls({ begun: begin });
    const other = newCall(environment);
    observe(other, environment.events);

    observationOf(other)?.begin('promise');
    observation.begin('promise');
    observation.ended(call);

    expect(begin).toHaveBeenCalledTimes(1);
    expect(recorder.calls.map(({ call: { id } }) => id)).toEqual([1, 2]);
  });

  it('are told apart, also where one comes twice', () => {
    const { environment, recorder } = setUp();
    const again = environment.events.watchCalls(recorder);
    expect(environment.events.calls).toHaveLength(2);

    again();
    again();

    expect(environment.events.calls).toHaveLength(1);
  });

  it('hurt nobody when they throw: that is reported', () => {
    const { environment, observation } = setUp();
    const mine = new Error('mine');
    environment.events.watchCalls({
      begun: () => {
        throw mine;
      },
    });
    const attempt = newCall(environment);
    observe(attempt, environment.events);

    observationOf(attempt)?.begin('promise');
    observation.begin('promise');

    expect(environment.reports).toEqual([{ place: 'events', error: mine }]);
  });

  it('make nobody arm a timer, and are not told of changes alone', () => {
    const events = new EventBus(
      () => 0,
      () => undefined,
    );
    const armed = vi.fn();
    events.onFirstListener(armed);

    events.watchCalls(new CallRecorder());

    expect([armed.mock.calls.length, events.hasListeners, events.hearsChanges]).toEqual([0, false, true]);
  });

  it('are the only ones for whom a call is observed', () => {
    const environment = new TestEnvironment();
    environment.events.watchChanges({ changed: () => undefined, repeated: () => undefined });
    const attempt = newCall(environment);

    observe(attempt, environment.events);
    void new Pipeline({ target: attempt.course.target, work: method(() => 'value') }).start(attempt);

    expect([environment.events.calls, attempt.call]).toEqual([undefined, undefined]);
  });
});
