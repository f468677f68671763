import { describe, expect, it } from 'vitest';
import {
  Control,
  CONTROL_ORDER,
  goesBefore,
  type ControlSource,
  type ControlWord,
} from '../../../../lib/policies/circuit-breaker/control.js';
import { consecutiveFailures } from '../../../../lib/policies/circuit-breaker/trip/consecutive-failures.js';
import { BreakerScene } from '../../../support/breaker-scene.js';
import { newCall } from '../../../support/calls.js';
import { settle } from '../../../support/settle.js';
import { TestEnvironment } from '../../../support/test-environment.js';

const once = consecutiveFailures(1);
const word = (state: ControlWord['state'], reason = state as string): ControlWord => ({ state, reason });

describe('who steers a breaker', () => {
  it('is the first in the order who speaks', () => {
    const control = new Control();
    const inForce: unknown[] = [control.inForce];

    for (const source of [...CONTROL_ORDER].reverse()) {
      control.say(source, word('normal', source));
      inForce.push(control.inForce?.source);
    }
    for (const source of CONTROL_ORDER) {
      control.say(source, undefined);
      inForce.push(control.inForce?.word.reason);
    }

    expect(CONTROL_ORDER).toEqual(['operator', 'command', 'rule', 'advice', 'options']);
    expect(inForce).toEqual([
      undefined,
      'options',
      'advice',
      'rule',
      'command',
      'operator',
      'command',
      'rule',
      'advice',
      'options',
      undefined,
    ]);
  });

  it('speaks of a key as of its whole name, as long as he says nothing of the key itself', () => {
    const whole = new Control();
    const key = new Control(whole);
    whole.say('rule', word('disabled'));
    expect(key.inForce).toEqual({ source: 'rule', word: word('disabled') });
    key.say('rule', word('normal'));
    expect([key.wordOf('rule'), whole.wordOf('rule')]).toEqual([word('normal'), word('disabled')]);
    key.say('rule', undefined);

    expect(key.wordOf('rule')).toEqual(word('disabled'));
  });

  it.each<[ControlSource, boolean]>([
    ['operator', true],
    ['command', true],
    ['rule', false],
    ['advice', false],
    ['options', false],
  ])('orders a key alone by %s: %s', (source, ordered) => {
    const whole = new Control();
    const key = new Control(whole);
    whole.say(source, word('forcedOpen'));
    expect(key.isOrderedAlone).toBe(false);

    key.say(source, word('forcedOpen'));
    expect(key.isOrderedAlone).toBe(ordered);
    key.say('options', word('normal'));
    key.say(source, undefined);

    expect(key.isOrderedAlone).toBe(false);
  });

  it('goes before those after him alone', () => {
    expect(goesBefore('operator', 'rule')).toBe(true);
    expect(goesBefore('rule', 'rule')).toBe(false);
    expect(goesBefore('options', 'rule')).toBe(false);
  });
});

describe('a breaker of which somebody speaks', () => {
  it('is told as forced only by who goes before the rules', () => {
    for (const [source, forced] of [
      ['operator', true],
      ['command', true],
      ['rule', false],
    ] as const) {
      const { core } = new BreakerScene().breaker;
      core.say(source, word('forcedOpen', 'maintenance'));

      expect([source, core.forced, core.reason]).toEqual([source, forced, 'maintenance']);
      core.say(source, word('disabled'));
      expect([source, core.forced]).toEqual([source, false]);
    }
  });

  it('refuses in mode metricsOnly what is forced open by an operator, and watches what a rule forces open', async () => {
    const byOperator = new BreakerScene({ mode: 'metricsOnly' });
    byOperator.breaker.forceOpen();
    const byRule = new BreakerScene({ mode: 'metricsOnly' });
    byRule.named.say('rule', word('forcedOpen'));

    expect([await byOperator.lets(), await byRule.lets()]).toEqual([false, true]);
  });

  it('goes by the next in the order, when one takes his word back, and tells whose that was', () => {
    const { environment, breaker, named } = new BreakerScene();
    named.say('rule', word('disabled', 'a rule'));
    named.say('command', word('forcedOpen', 'a command'));
    const reasons = [breaker.core.reason];

    named.say('command', undefined);
    reasons.push(breaker.core.reason);
    named.say('rule', undefined);
    named.say('rule', undefined);

    expect(reasons).toEqual(['a command', 'a rule']);
    expect(breaker.state).toBe('closed');
    expect(environment.of('stateChange')).toMatchObject([
      { from: 'closed', to: 'disabled', reason: 'a rule' },
      { from: 'disabled', to: 'forcedOpen', reason: 'a command', byHand: true },
      { from: 'forcedOpen', to: 'disabled', reason: 'a rule', byHand: true },
      { from: 'disabled', to: 'closed', reason: 'the rule takes back its word' },
    ]);
    expect(environment.of('stateChange')[0]).not.toHaveProperty('byHand');
  });

  it('goes by itself where the first who speaks says so, whatever the others say', () => {
    const { breaker, named, environment } = new BreakerScene({ trip: once });
    named.say('rule', word('forcedOpen'));

    named.say('operator', word('normal', 'by ann'));

    expect([breaker.state, breaker.core.forced, environment.told.length]).toEqual(['closed', false, 2]);
    expect(environment.of('stateChange').at(-1)?.reason).toBe('');
  });

  it('goes on after an order with what it had counted before', async () => {
    const scene = new BreakerScene({ trip: consecutiveFailures(3) });
    await scene.fail(2);
    for (const state of ['disabled', 'forcedOpen'] as const) {
      scene.named.say('rule', word(state));
      scene.named.say('rule', undefined);
    }
    expect(scene.stats.failures).toBe(2);

    await scene.fail();

    expect(scene.state).toBe('open');
  });

  it('refuses by what was restored also where calls were waiting as long as it was disabled', async () => {
    const scene = new BreakerScene();
    scene.breaker.disable();
    const waiting = newCall(scene.environment);
    scene.breaker.core.enter(waiting);

    scene.breaker.restore({
      name: 'elsewhere',
      state: 'forcedOpen',
      reason: 'maintenance',
      openings: 0,
      failures: 3,
      calls: 9,
    });

    expect(waiting.aborted).toBe(true);
    expect(scene.breaker.core.refusal(scene.clock.now()).details).toMatchObject({ failures: 3, calls: 9 });
  });

  it('tells its keys, those to come too', async () => {
    const scene = new BreakerScene({ key: (key: string) => key });
    const of = (key: string) => ({ args: [key] });
    await scene.succeed(1, 0, of('a'));

    scene.named.say('rule', word('forcedOpen', 'a rule'));

    expect(scene.named.breaker('a')?.state).toBe('forcedOpen');
    expect([await scene.lets(of('a')), await scene.lets(of('b'))]).toEqual([false, false]);
    scene.named.say('rule', undefined);
    expect([await scene.lets(of('a')), await scene.lets(of('b')), await scene.lets(of('c'))]).toEqual([
      true,
      true,
      true,
    ]);
  });

  it('is forced open from the beginning, and tells of that no call', async () => {
    const scene = new BreakerScene({ key: (key: string) => key });
    scene.named.say('operator', word('forcedOpen', 'maintenance'));

    const refused = scene.begin({ args: ['new'] });
    await settle();

    expect(refused.result.outcome).toMatchObject({
      details: { state: 'forcedOpen', failures: 0, calls: 0, reason: 'maintenance' },
    });
    expect(scene.environment.of('stateChange').map(({ name }) => name)).toEqual(['payments[*]']);
  });
});

describe('a reset of a name', () => {
  it('closes it, and takes back what its options say, as by hand', () => {
    const { breaker, named, environment } = new BreakerScene({ enabled: false });
    expect(breaker.state).toBe('disabled');

    named.reset('by the cluster');

    expect(breaker.state).toBe('closed');
    expect(environment.of('stateChange')).toMatchObject([{ to: 'closed', byHand: true }]);
  });

  it('closes its keys as well, but none of which an operator of this process speaks', async () => {
    const scene = new BreakerScene({ trip: once, key: (key: string) => key });
    for (const key of ['a', 'b', 'c']) await scene.fail(1, new Error('boom'), { args: [key] });
    scene.named.breaker('b')?.forceOpen();
    scene.environment.told.length = 0;

    scene.named.reset('by the cluster');

    expect(['a', 'b', 'c'].map((key) => scene.named.breaker(key)?.state)).toEqual(['closed', 'forcedOpen', 'closed']);
    const changes = scene.environment.of('stateChange');
    expect(changes).toMatchObject([
      { name: 'payments[a]', to: 'closed', reason: 'by the cluster' },
      { name: 'payments[c]', to: 'closed', reason: 'by the cluster' },
    ]);
    expect(changes.some(({ byHand }) => byHand === true)).toBe(false);
  });
});

describe('the kill switch', () => {
  it('lets everything pass an open breaker, which judges on', async () => {
    const environment = Object.assign(new TestEnvironment(), { enabled: false });
    const scene = new BreakerScene({ trip: once }, environment);
    await scene.fail();

    expect([scene.state, await scene.lets()]).toEqual(['open', true]);
    expect(environment.of('refused')).toMatchObject([{ metricsOnly: true }]);
    scene.breaker.forceOpen();
    expect(await scene.lets()).toBe(true);
    scene.breaker.shutdown();
    expect(await scene.lets()).toBe(false);
  });
});
