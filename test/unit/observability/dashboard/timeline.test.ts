import { describe, expect, it } from 'vitest';
import type { ResilienceEvent } from '../../../../lib/events/resilience-event.js';
import { Timeline } from '../../../../lib/observability/dashboard/hub/timeline.js';
import { kindOf, toldOf } from '../../../../lib/observability/dashboard/hub/told.js';

const opened = (name: string, at = 0): ResilienceEvent => ({
  type: 'stateChange',
  policy: 'circuitBreaker',
  name,
  at,
  from: 'closed',
  to: 'open',
  reason: '60 % of 20 calls failed',
});

const closed = (name: string, at: number): ResilienceEvent => ({
  type: 'stateChange',
  policy: 'circuitBreaker',
  name,
  at,
  from: 'halfOpen',
  to: 'closed',
  reason: 'all probes succeeded',
});

const limited = (name: string, at: number): ResilienceEvent => ({
  type: 'limitChange',
  policy: 'bulkhead',
  name,
  at,
  limit: 10 + at,
  before: 10,
});

function add(timeline: Timeline, event: ResilienceEvent): void {
  const told = toldOf(event);
  if (told !== undefined) timeline.add(told, event.at);
}

describe('the timeline', () => {
  it('counts what happens again within a minute', () => {
    const timeline = new Timeline();
    for (const at of [0, 10, 59_999, 60_000]) add(timeline, limited('payments', at));

    expect(timeline.newest(10).map(({ at, repeats, text }) => [at, repeats, text])).toEqual([
      [0, 2, 'the limit is 60009 (it was 10)'],
      [60_000, 0, 'the limit is 60010 (it was 10)'],
    ]);
  });

  it('tells each change of a state, so that the last entry is how it is now', () => {
    const timeline = new Timeline();
    add(timeline, opened('payments', 0));
    add(timeline, closed('payments', 10));
    add(timeline, opened('payments', 20));

    expect(timeline.newest(10)).toMatchObject([
      { at: 0, repeats: 0, text: expect.stringContaining('-> open') },
      { at: 10, repeats: 0, text: expect.stringContaining('-> closed') },
      { at: 20, repeats: 0, text: expect.stringContaining('-> open') },
    ]);
  });

  it('counts changes from the eleventh within a minute on, and still says how it is now', () => {
    const timeline = new Timeline();
    for (let at = 0; at < 100; at++) add(timeline, at % 2 === 0 ? opened('flapping', at) : closed('flapping', at));

    const entries = timeline.newest(1_000);

    expect(entries).toHaveLength(10);
    expect(entries.at(-1)).toMatchObject({
      at: 9,
      repeats: 90,
      level: 'info',
      text: expect.stringContaining('-> closed'),
    });
    add(timeline, opened('flapping', 100));
    expect(timeline.newest(1)).toMatchObject([
      { repeats: 91, level: 'warn', text: expect.stringContaining('-> open') },
    ]);
  });

  it('tells that a key is closed again when its name has used up its entries', () => {
    const timeline = new Timeline();
    for (let key = 0; key < 20; key++) add(timeline, opened(`tenants[${key}]`, key));
    add(timeline, closed('tenants[0]', 30));

    expect(timeline.newest(1)).toMatchObject([{ name: 'tenants[0]', text: expect.stringContaining('-> closed') }]);
  });

  it('tells each rule that was changed, and each action that was done; those that are refused are counted', () => {
    const timeline = new Timeline();
    for (const at of [0, 1]) {
      add(timeline, {
        ...{ type: 'ruleChange', policy: 'timeout', name: 'a', at, path: 'policies.a.timeout', from: at, to: at + 1 },
        ...{ by: 'ann', reason: undefined, source: 'api', version: at },
      });
      for (const outcome of ['done', 'STALE'])
        add(timeline, {
          ...{ type: 'operatorAction', policy: 'circuitBreaker', name: 'a', at, action: 'forceOpen', by: 'ann' },
          ...{ reason: undefined, outcome },
        } as ResilienceEvent);
    }

    expect(timeline.newest(10).map(({ text, repeats }) => [text, repeats])).toEqual([
      ['rule policies.a.timeout: 0 -> 1, by ann (api)', 0],
      ['ann: forceOpen done', 0],
      ['ann: forceOpen refused (STALE)', 1],
      ['rule policies.a.timeout: 1 -> 2, by ann (api)', 0],
      ['ann: forceOpen done', 0],
    ]);
  });

  it('keeps 500 entries', () => {
    const timeline = new Timeline();
    for (let index = 0; index < 1_000; index++) add(timeline, opened(`instance-${index}`, index));

    expect(timeline.newest(1_000).map(({ name }) => name)).toEqual(
      Array.from({ length: 500 }, (_, index) => `instance-${index + 500}`),
    );
  });

  it('tells what has changed since, repeats included', () => {
    const timeline = new Timeline();
    add(timeline, limited('a', 0));
    add(timeline, limited('b', 0));
    const { revision } = timeline;
    add(timeline, limited('a', 5));

    expect(timeline.since(revision, 10)).toMatchObject([{ name: 'a', repeats: 1 }]);
    expect(timeline.since(timeline.revision, 10)).toEqual([]);
  });

  it('lets the keys of one name not push out all others', () => {
    const timeline = new Timeline();
    for (let key = 0; key < 1_000; key++) add(timeline, opened(`tenants[${key}]`, key));

    const entries = timeline.newest(1_000);

    expect(entries).toHaveLength(11);
    expect(entries.at(-1)).toMatchObject({ name: 'tenants[*]', text: 'more keys: open', repeats: 989 });
  });

  it('counts what the bus only counts', () => {
    const timeline = new Timeline();
    add(timeline, { type: 'keysExhausted', policy: 'rateLimit', name: 'api', at: 0, maxKeys: 10 });
    timeline.count(kindOf('keysExhausted', 'api'), 5);
    timeline.count(kindOf('keysExhausted', 'other'), 5);

    expect(timeline.newest(10)).toMatchObject([{ name: 'api', repeats: 1 }]);
  });

  it('says nothing of what an upstream has said', () => {
    const error = new Error('secret of the upstream');
    const events: ResilienceEvent[] = [
      {
        type: 'retrySuppressed',
        policy: 'retry',
        name: 'a',
        at: 0,
        attempt: 3,
        attempts: 3,
        reason: 'maxAttempts',
        error,
      },
      { type: 'store', policy: 'rateLimit', name: 'redis', at: 0, store: 'redis', up: false, reason: 'secret host' },
      { type: 'failure', policy: 'circuitBreaker', name: 'a', at: 0, latencyMs: 1, error },
      { type: 'recovered', policy: 'recover', name: 'a', at: 0, error },
    ];

    expect(JSON.stringify(events.map(toldOf))).not.toContain('secret');
    expect(events.map(toldOf).filter((told) => told !== undefined)).toHaveLength(2);
  });

  it('shows texts in one short line', () => {
    const told = toldOf({ ...opened('evil\u0000\n'), reason: `\u202e${'x'.repeat(1_000)}` } as ResilienceEvent);

    expect(told?.text.length).toBeLessThan(400);
    expect(told?.text).toContain('\\u{202e}');
    expect(told?.name).toBe('evil\\u{0}\\u{a}');
  });

  it.each<[ResilienceEvent, string, string]>([
    [opened('a'), 'warn', 'closed -> open: 60 % of 20 calls failed'],
    [
      {
        type: 'ruleChange',
        policy: 'timeout',
        name: 'a',
        at: 0,
        path: 'policies.a.timeout',
        from: undefined,
        to: 500,
        by: 'ann',
        reason: undefined,
        source: 'api',
        version: 1,
      },
      'info',
      'rule policies.a.timeout: undefined -> 500, by ann (api)',
    ],
    [
      {
        type: 'shed',
        policy: 'systemProtection',
        name: 'ingress',
        at: 0,
        reason: 'concurrency',
        details: { active: 10, limit: 10 },
      },
      'warn',
      'incoming requests are turned away: concurrency, 10 worked on, limit 10',
    ],
    [
      { type: 'limitChange', policy: 'bulkhead', name: 'a', at: 0, limit: 11.6, before: 10 },
      'info',
      'the limit is 12 (it was 10)',
    ],
    [
      {
        type: 'operatorAction',
        policy: 'circuitBreaker',
        name: 'a',
        at: 0,
        action: 'forceOpen',
        by: 'ann',
        reason: 'drill',
        outcome: 'STALE',
        scope: 'fleet',
      },
      'warn',
      'ann: forceOpen in all processes refused (STALE), reason: drill',
    ],
  ])('tells %j', (event, level, text) => {
    expect(toldOf(event)).toMatchObject({ level, text });
  });
});
