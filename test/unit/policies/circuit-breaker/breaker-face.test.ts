import Opossum from 'opossum';
import { describe, expect, it } from 'vitest';
import { BulkheadFullException } from '../../../../lib/errors/bulkhead-full.exception.js';
import { Breaker } from '../../../../lib/policies/circuit-breaker/breaker.js';
import { CIRCUIT_BREAKER_DEFAULTS } from '../../../../lib/policies/circuit-breaker/circuit-breaker.options.js';
import { consecutiveFailures } from '../../../../lib/policies/circuit-breaker/trip/consecutive-failures.js';
import { BreakerScene } from '../../../support/breaker-scene.js';
import { errorOf } from '../../../support/settle.js';
import { TestEnvironment } from '../../../support/test-environment.js';

const once = consecutiveFailures(1);

describe('an error', () => {
  const full = new BulkheadFullException({ policy: 'bulkhead', instanceName: 'b', message: 'm' });
  const opossum = Opossum as unknown as { isOurError(error: unknown): boolean };

  it('is ours, where a policy has made it, and so says opossum', async () => {
    const { breaker } = new BreakerScene({ trip: once });
    const boom = new Error('boom');
    await errorOf(breaker.fire(() => Promise.reject(boom)));
    const refusal = await errorOf(breaker.fire(() => 'run'));

    for (const error of [full, refusal])
      expect([Breaker.isOurError(error), opossum.isOurError(error)]).toEqual([true, true]);
    for (const error of [boom, 'boom', undefined, null, {}]) expect(Breaker.isOurError(error)).toBe(false);
  });

  it('is ours, where opossum has made it', async () => {
    const theirs = new Opossum(() => Promise.resolve('run'));
    theirs.open();
    const error = await errorOf(theirs.fire());
    theirs.shutdown();

    expect(Breaker.isOurError(error)).toBe(true);
  });
});

describe('what a breaker is by its face', () => {
  it('has no action, no semaphore and no status of opossum', async () => {
    const { breaker } = new BreakerScene();

    expect(() => Breaker.newStatus()).toThrow(
      new TypeError("newStatus() is opossum's: use snapshot() and restore() to carry a state over"),
    );
    expect(breaker.semaphore).toBeUndefined();
    expect(() => breaker.action()).toThrow('this breaker has no action of its own: call fire(action, ...args)');
    expect(breaker.getSignal()).toBeUndefined();
    expect(breaker.listenerCount('open')).toBe(0);
  });

  it('is neither open, closed nor half-open after a shutdown, though its state stays', async () => {
    const closed = new BreakerScene();
    const open = new BreakerScene({ trip: once });
    await open.fail();
    const halfOpen = new BreakerScene({ trip: once });
    await halfOpen.fail();
    await halfOpen.clock.advance(30_000);

    const read = [closed, open, halfOpen].map(({ breaker }) => {
      breaker.shutdown();
      const { state, closed, opened, halfOpen, pendingClose, enabled, isShutdown } = breaker;
      return [state, closed, opened, halfOpen, pendingClose, enabled, isShutdown];
    });

    const none = [false, false, false, false, false, true];
    expect(read).toEqual([
      ['closed', ...none],
      ['open', ...none],
      ['halfOpen', ...none],
    ]);
  });

  it('tells a shutdown once', () => {
    const { breaker } = new BreakerScene();
    let told = 0;
    breaker.on('shutdown', () => told++);
    breaker.shutdown();
    breaker.on('shutdown', () => told++);

    breaker.shutdown();

    expect(told).toBe(1);
  });

  it('says how many calls it waits for, and whether it warms up', () => {
    const environment = new TestEnvironment();
    const { breaker } = new BreakerScene({ volumeThreshold: 7, allowWarmUp: true }, environment);
    expect([breaker.volumeThreshold, breaker.warmUp]).toEqual([7, true]);
    environment.clock.block(10_000);

    expect(breaker.warmUp).toBe(false);
  });

  it('has the options in force', () => {
    const { breaker, named } = new BreakerScene();
    named.reconfigure({ ...CIRCUIT_BREAKER_DEFAULTS, errorThresholdPercentage: 5 });

    expect(breaker.options).toMatchObject({ errorThresholdPercentage: 5 });
  });
});

describe('by hand', () => {
  const changesOf = ({ environment }: BreakerScene) =>
    environment.of('stateChange').map(({ to, reason }) => `${to}: ${reason}`);

  it('nothing opens what is open, disabled or shut down', async () => {
    const open = new BreakerScene({ trip: once });
    await open.fail();
    await open.clock.advance(20_000);
    open.breaker.open();
    await open.clock.advance(10_000);
    expect(open.state).toBe('halfOpen');
    const forced = new BreakerScene();
    forced.breaker.forceOpen();
    forced.breaker.open();
    expect(forced.state).toBe('forcedOpen');
    const disabled = new BreakerScene();
    disabled.breaker.disable();
    disabled.breaker.open();
    expect(disabled.state).toBe('disabled');
    const ended = new BreakerScene();
    ended.breaker.shutdown();
    ended.breaker.open();

    expect(changesOf(ended)).toEqual([]);
  });

  it('what is half-open opens again', async () => {
    const scene = new BreakerScene({ trip: once });
    await scene.fail();
    await scene.clock.advance(30_000);

    scene.breaker.open();

    expect(scene.state).toBe('open');
    expect(scene.environment.of('stateChange').at(-1)).toMatchObject({
      to: 'open',
      reason: 'opened by hand',
      byHand: true,
    });
  });

  it('close() leaves disabled what was disabled by hand, and forceClose() does not', () => {
    const scene = new BreakerScene();
    scene.breaker.disable();

    scene.breaker.close();
    expect(scene.state).toBe('disabled');
    scene.breaker.forceClose();

    expect(scene.state).toBe('closed');
    expect(changesOf(scene)).toEqual(['disabled: disabled by hand', 'closed: closed by hand']);
  });

  it('close() and forceClose() leave what the options disable as it is, and reset() and enable() do not', () => {
    for (const [order, state] of [
      ['close', 'disabled'],
      ['forceClose', 'disabled'],
      ['reset', 'closed'],
      ['enable', 'closed'],
    ] as const) {
      const scene = new BreakerScene({ enabled: false });
      scene.breaker[order]();

      expect([order, scene.state]).toEqual([order, state]);
    }
  });

  it('enable() closes only what somebody has ordered by hand or by the options', async () => {
    const scene = new BreakerScene({ trip: once });
    await scene.fail();
    scene.breaker.enable();
    expect(scene.state).toBe('open');
    scene.breaker.forceOpen();

    scene.breaker.enable();

    expect(scene.state).toBe('closed');
    expect(changesOf(scene).at(-1)).toBe('closed: enabled by hand');
  });

  it('each order names itself in the words of the change', () => {
    const scene = new BreakerScene();
    scene.breaker.forceOpen();
    scene.breaker.reset();
    scene.breaker.forceOpen('maintenance');
    scene.breaker.disable();
    scene.breaker.enable();

    expect(changesOf(scene)).toEqual([
      'forcedOpen: forced open by hand',
      'closed: reset by hand',
      'forcedOpen: maintenance',
      'disabled: disabled by hand',
      'closed: enabled by hand',
    ]);
    expect(scene.environment.of('stateChange').every(({ byHand }) => byHand === true)).toBe(true);
  });
});
