import { ConsoleLogger, Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ResilienceEventBody } from '../../../../lib/events/resilience-event.js';
import { CarefulLogger } from '../../../../lib/module/event-log/careful-logger.js';
import { EventLog } from '../../../../lib/module/event-log/event-log.js';
import { ofRecovered } from '../../../../lib/module/event-log/recovered.js';
import { Repeats } from '../../../../lib/module/event-log/repeats.js';
import { BulkheadFullException } from '../../../../lib/errors/bulkhead-full.exception.js';
import { TimeoutException } from '../../../../lib/errors/timeout.exception.js';
import { KeysExhausted } from '../../../../lib/kernel/keys-exhausted.js';
import { TestEnvironment } from '../../../support/test-environment.js';

let lines: string[] = [];
const write =
  (level: string) =>
  (text: unknown, ...rest: unknown[]): void =>
    void lines.push(
      `${level} ${String(text)}${typeof rest[0] === 'string' && rest[0].includes('\n') ? ' +stack' : ''}`,
    );

beforeEach(() => {
  lines = [];
  const logger = { log: write('log'), warn: write('warn'), error: write('error'), debug: write('debug') };
  Logger.overrideLogger(logger);
});
afterEach(() => Logger.overrideLogger(false));

function setUp(what: 'changes' | 'all' = 'changes') {
  const environment = new TestEnvironment(false);
  const { clock, events } = environment;
  const logger = new CarefulLogger();
  const repeats = new Repeats(clock, logger);
  const leave = new EventLog(repeats, logger, clock).listen(events, what);
  const close = (): void => {
    leave();
    repeats.close();
  };
  return { environment, clock, events, repeats, close, tell: (body: ResilienceEventBody) => events.emitChange(body) };
}

const state = (to: 'open' | 'halfOpen' | 'closed', name = 'payments', reason = '5 of 10 failed') =>
  ({ type: 'stateChange', name, policy: 'circuitBreaker', from: 'closed', to, reason }) as const;
const gaveUp = (reason: 'budget' | 'maxAttempts' | 'aborted', attempts = 3) =>
  ({
    type: 'retrySuppressed',
    name: 'payments',
    policy: 'retry',
    attempt: attempts,
    attempts,
    reason,
    error: new Error('down'),
  }) as const;
const shed = { type: 'shed', name: 'ingress', policy: 'systemProtection', reason: 'rate', details: {} } as const;

describe('the log of changes', () => {
  it('tells when a store goes away and comes back, and counts it when it does so again and again', async () => {
    const { clock, tell, close } = setUp();
    const store = (up: boolean, reason: string) =>
      tell({ type: 'store', store: 'redis', name: 'redis', policy: 'rateLimit', up, reason });

    for (let i = 0; i < 12; i++) {
      store(false, 'connect ECONNREFUSED');
      store(true, 'it answers');
      await clock.advance(1_000);
    }
    store(false, 'connect ETIMEDOUT');
    close();

    expect(lines.slice(0, 2)).toEqual([
      'warn redis is away, and each process decides by itself: connect ECONNREFUSED',
      'log redis is back: it answers',
    ]);
    expect(lines).toHaveLength(11);
    expect(lines[10]).toMatch(
      /^warn redis is away, and each process decides by itself since [\d:]{8} UTC: connect ETIMEDOUT; .* \.\.\. 15 more/,
    );
  });

  it('does not make calls dearer: nobody hears of them', () => {
    const { events } = setUp();

    expect(events.active).toBe(false);
    expect(events.hearsChanges).toBe(true);
  });

  it('tells each state of a breaker, an opening as a warning with its reason', () => {
    const { tell } = setUp();

    tell(state('open'));
    tell(state('halfOpen', 'payments', 'its time is over'));
    tell(state('closed', 'payments', 'the probe succeeded'));

    expect(lines).toEqual([
      'warn payments: circuit breaker is open (it was closed): 5 of 10 failed',
      'log payments: circuit breaker is half-open (it was closed): its time is over',
      'log payments: circuit breaker is closed (it was closed): the probe succeeded',
    ]);
  });

  it('never ends on a state that is over: each change has its line, and one that changes often says how it is now', async () => {
    const { tell, clock } = setUp();

    tell(state('open'));
    tell(state('closed', 'payments', 'the probe succeeded'));
    tell(state('open', 'payments', 'and again'));
    expect(lines[2]).toBe('warn payments: circuit breaker is open (it was closed): and again');

    for (let change = 3; change < 40; change++)
      tell(state(change % 2 === 0 ? 'open' : 'halfOpen', 'payments', `${change}`));
    expect(lines).toHaveLength(10);
    tell(state('open', 'other'));
    expect(lines).toHaveLength(11);

    await clock.advance(60_000);
    expect(lines).toHaveLength(12);
    expect(lines[11]).toMatch(
      /^log payments: circuit breaker is half-open since [\d:]{8} UTC: 39; it has changed often \.\.\. 30 more in the last minute$/,
    );
    expect(clock.pending).toBe(0);
  });

  it('tells whatever is done by hand, and goes by it in the line that counts', () => {
    const { tell, close, clock } = setUp();

    for (let change = 0; change < 20; change++) tell(state(change % 2 === 0 ? 'open' : 'closed'));
    expect(lines).toHaveLength(10);
    tell({ ...state('open', 'payments', 'maintenance'), byHand: true });
    tell({ ...state('closed', 'payments', 'closed by hand'), byHand: true });
    expect(lines.slice(10)).toEqual([
      'warn payments: circuit breaker is open (it was closed): maintenance',
      'log payments: circuit breaker is closed (it was closed): closed by hand',
    ]);
    close();

    expect(lines[12]).toMatch(/^log payments: circuit breaker is closed since .*: closed by hand; .* \.\.\. 10 more/);
    expect(clock.pending).toBe(0);
  });

  it('tells of one key by hand, however many others have changed', () => {
    const { tell } = setUp();

    for (let key = 0; key < 100; key++) tell(state('open', `payments[${key}]`));
    tell({ ...state('open', 'payments[blue]', 'maintenance'), byHand: true });

    expect(lines.at(-1)).toBe('warn payments[blue]: circuit breaker is open (it was closed): maintenance');
  });

  it('counts what is said again, and tells the number once a minute', async () => {
    const { tell, clock } = setUp();

    for (let one = 0; one < 313; one++) tell(gaveUp('budget'));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^warn payments: not tried again after 3 attempts: .*budget.*; at last: .*down$/);
    await clock.advance(60_000);
    tell(gaveUp('budget'));
    expect(lines[1]).toMatch(/budget.* \.\.\. 312 more in the last minute$/);
    expect(lines).toHaveLength(2);

    await clock.advance(60_000);
    tell(state('open'));
    expect(lines).toHaveLength(4);
    expect(lines[2]).toContain('1 more in the last minute');

    await clock.advance(60_000);
    tell(gaveUp('budget'));
    expect(lines[4]).toContain('after 3 attempts');
    expect(clock.pending).toBe(0);
  });

  it('has no timer, and tells at the end what was counted', () => {
    const { tell, clock, close } = setUp();

    tell(gaveUp('maxAttempts', 1));
    expect(clock.pending).toBe(0);
    tell(gaveUp('maxAttempts', 1));
    expect(clock.pending).toBe(0);
    close();

    expect(clock.pending).toBe(0);
    expect(lines[0]).toContain('after 1 attempt: maxAttempts');
    expect(lines[1]).toContain('1 more in the last minute');
    tell(gaveUp('maxAttempts', 1));
    expect(lines).toHaveLength(2);
  });

  it('has lines of their own for some keys only, and says nothing of callers that gave up', () => {
    const { tell, close } = setUp();

    for (let key = 0; key < 1_000; key++) tell(state('open', `payments[tenant\n${key}]`));
    tell(gaveUp('aborted'));
    close();

    expect(lines).toHaveLength(12);
    expect(lines[0]).toContain('payments[tenant 0]: circuit breaker is open');
    expect(lines[11]).toBe(
      'warn payments[*]: circuit breaker is open, other keys included ... 989 more in the last minute',
    );
  });

  it('tells when shedding begins, goes on and ends', async () => {
    const { tell, clock } = setUp();

    tell(shed);
    for (let second = 0; second < 65; second++) {
      await clock.advance(1_000);
      tell(shed);
    }
    await clock.advance(5_000);

    expect(lines.map((line) => line.slice(0, 34))).toEqual([
      'warn ingress: shedding begins: inc',
      'warn ingress: shedding goes on ...',
      'log ingress: shedding has ended, n',
    ]);
    expect(lines[1]).toContain('59 more in the last minute');
    expect(lines[2]).toContain('66 requests were turned away in 65 s');
    expect(clock.pending).toBe(0);
  });

  it('tells that shedding has begun again within the minute', async () => {
    const { tell, clock } = setUp();

    tell(shed);
    await clock.advance(6_000);
    tell(shed);

    expect(lines.map((line) => line.slice(0, 30))).toEqual([
      'warn ingress: shedding begins:',
      'log ingress: shedding has ende',
      'warn ingress: shedding begins:',
    ]);
  });

  it('tells that shedding ends with the app', () => {
    const { tell, close, clock } = setUp();

    tell(shed);
    close();

    expect(lines[1]).toContain('the app is shut down: 1 request was turned away');
    expect(clock.pending).toBe(0);
  });

  it('counts the calls of keys without room', () => {
    const { environment, clock, close } = setUp();
    const exhausted = new KeysExhausted('api', 'rateLimit', environment);

    for (let call = 0; call < 500; call++) exhausted.tell(100, clock.now());
    close();

    expect(lines).toEqual([
      "warn api[*]: calls of new keys share one limit, since all 100 keys of a rate limit are in use (option 'maxKeys')",
      'warn api[*]: calls of new keys share one limit ... 499 more in the last minute',
    ]);
  });

  it('says whose limit it is that a breaker brings along, and nothing of other limits', () => {
    const { tell } = setUp();
    const cut = { type: 'timeout', name: 'payments', policy: 'timeout', scope: 'perAttempt', queued: false } as const;

    tell({ ...cut, limitMs: 10_000, limitOf: 'circuitBreaker' });
    tell({ ...cut, name: 'own', limitMs: 50 });

    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/payments: cut after 10000 ms by the time limit of its circuit breaker: .*'timeout'/);
  });

  it('has every event with `all`', () => {
    const { events } = setUp('all');

    events.emit({ type: 'success', name: 'payments', policy: 'circuitBreaker', latencyMs: 5 });
    events.emit({ type: 'success', name: 'payments', policy: 'circuitBreaker', latencyMs: 5 });
    events.emitChange(state('open'));

    expect(lines).toEqual([
      'log payments: circuitBreaker success, latencyMs: 5',
      'log payments: circuitBreaker success, latencyMs: 5',
      'warn payments: circuitBreaker stateChange, from: closed, to: open, reason: 5 of 10 failed',
    ]);
  });

  it('hurts nobody, when the logger throws', () => {
    const { tell, environment } = setUp();
    Logger.overrideLogger({ log: fail, warn: fail, error: fail });
    const told = vi.fn();
    environment.events.subscribe(told);

    tell(state('open'));

    expect(told).toHaveBeenCalledOnce();
    expect(environment.reports).toEqual([]);
  });
});

function fail(): never {
  throw new Error('the disk is full');
}

describe('what Recover has caught', () => {
  it('has a stack once, and none where a call was only refused', () => {
    const { repeats } = setUp();
    const refusal = (waiting: number) =>
      new BulkheadFullException({ policy: 'bulkhead', instanceName: 'jobs', message: `jobs is full: ${waiting} wait` });

    for (let one = 0; one < 400; one++) {
      repeats.say(ofRecovered('Jobs.run', refusal(one)));
      repeats.say(ofRecovered('Jobs.run', new Error(`order ${one} failed`)));
    }
    repeats.say(ofRecovered('Jobs.run', new TypeError('x is undefined')));
    const late = { policy: 'timeout', instanceName: 'jobs', message: 'jobs: its turn did not come in 5 ms' };
    repeats.say(ofRecovered('Jobs.run', new TimeoutException({ ...late, queued: true })));
    repeats.close();

    expect(lines).toEqual([
      'error Jobs.run recovered from: jobs is full: 0 wait',
      'error Jobs.run recovered from: order 0 failed +stack',
      'error Jobs.run recovered from: x is undefined +stack',
      'error Jobs.run recovered from: jobs: its turn did not come in 5 ms',
      'error Jobs.run recovered from: BULKHEAD_FULL ... 399 more in the last minute',
      'error Jobs.run recovered from: Error: order 0 failed ... 399 more in the last minute',
    ]);
  });

  it('is bounded, also where no two errors are alike', () => {
    const { repeats } = setUp();
    const word = (one: number): string => String.fromCharCode(97 + (one % 26), 97 + Math.floor(one / 26));

    for (let one = 0; one < 500; one++) repeats.say(ofRecovered('Jobs.run', new Error(word(one))));
    repeats.close();

    expect(lines).toHaveLength(12);
    expect(lines[11]).toBe('error Jobs.run recovered from errors of other kinds ... 489 more in the last minute');
  });
});

describe('the fields of a line', () => {
  it('are figures, never the text of an error, and count repeats', async () => {
    const { clock, tell, close } = setUp();
    const records: unknown[] = [];
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      records.push((JSON.parse(String(text)) as { params: { bulwark: unknown } }).params.bulwark);
      return true;
    });
    Logger.overrideLogger(new ConsoleLogger({ json: true }));

    tell(gaveUp('budget'));
    tell(gaveUp('budget'));
    tell(state('open'));
    tell(shed);
    await clock.advance(10);
    close();
    vi.restoreAllMocks();

    const retry = { event: 'retrySuppressed', instance: 'payments', policy: 'retry', reason: 'budget' };
    const ingress = { event: 'shed', instance: 'ingress', policy: 'systemProtection', reason: 'rate', shed: 1 };
    expect(records).toEqual([
      { ...retry, attempt: 3, attempts: 3 },
      {
        event: 'stateChange',
        instance: 'payments',
        policy: 'circuitBreaker',
        from: 'closed',
        to: 'open',
        reason: '5 of 10 failed',
      },
      { ...ingress, phase: 'begins' },
      { ...ingress, phase: 'has ended' },
      { ...retry, attempt: 3, attempts: 3, repeats: 1 },
    ]);
  });
});
